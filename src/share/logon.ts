/** The last look at a log-on before a program gets it, wherever it comes from. */
import type { ShareAccess } from '../protocol/engine.ts';
import { IpsError } from '../protocol/errors.ts';
import { usernamePasswordSchema } from '../protocol/sealed.ts';

/** @throws IpsError SMB_LOGON_FAILED for what mount.cifs or smbclient would read as something else, saying what it is */
export function checkLogon({ username, password, domain }: ShareAccess): void {
  const parsed = usernamePasswordSchema.safeParse({ type: 'UsernamePassword', username, password, domain });
  if (parsed.success) return;
  const reasons = parsed.error.issues.map(({ message }) => message);
  throw new IpsError('SMB_LOGON_FAILED', `They cannot be used: ${reasons.join('; ')}.`);
}

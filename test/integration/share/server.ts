/** A real Samba server for the tests of the share client, and clients of it. */

import { systemClock } from '../../../src/lib/clock.ts';
import { Doors } from '../../../src/lib/doors.ts';
import { Processes } from '../../../src/lib/processes.ts';
import type { ShareAccess } from '../../../src/protocol/engine.ts';
import { SmbClient } from '../../../src/share/smb-client.ts';
import type { Samba } from '../../harness/samba.ts';

export const PASSWORD = ' p,a ss=w%"ö\' ';

export function clientOf(samba: Samba, access: Partial<ShareAccess> = {}): SmbClient {
  return new SmbClient({
    processes: new Processes(new Doors()),
    clock: systemClock(),
    access: {
      host: samba.host,
      port: samba.port,
      share: 'images',
      folder: '',
      username: samba.user,
      password: PASSWORD,
      ...access,
    },
  });
}

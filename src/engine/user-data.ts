/** What the connector hands to a new engine: the config disk's content, IPS-USER-DATA-1 and JSON up to the first NUL. */
import { USER_DATA_MAGIC, type UserData, userDataSchema } from '../protocol/engine.ts';

/** @throws Error saying what is wrong, without any of the content, which holds a key */
export function parseUserData(content: Buffer): UserData {
  if (!content.subarray(0, USER_DATA_MAGIC.length).equals(Buffer.from(USER_DATA_MAGIC, 'latin1'))) {
    throw new Error('the user data does not begin with its mark');
  }
  const end = content.indexOf(0);
  const text = content.toString('utf8', USER_DATA_MAGIC.length, end < 0 ? content.length : end);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error('the user data is no JSON');
  }
  const parsed = userDataSchema.safeParse(json);
  if (!parsed.success) {
    throw new Error(
      `the user data is not valid: ${parsed.error.issues.map((issue) => issue.path.join('.')).join(', ')}`,
    );
  }
  return parsed.data;
}

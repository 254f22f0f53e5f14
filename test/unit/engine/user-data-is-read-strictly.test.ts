/** The config disk: what is not exactly user data is refused, by a message that quotes nothing of it. */
import { describe, expect, it } from '@jest/globals';
import { parseUserData } from '../../../src/engine/user-data.ts';
import { USER_DATA_MAGIC, USER_DATA_SIZE } from '../../../src/protocol/engine.ts';

const data = {
  jobId: 'job-1',
  token: '1.2',
  bootKey: 'ab'.repeat(32),
  deadlineSeconds: 60,
  hardDeadlineSeconds: 600,
};

function disk(text: string): Buffer {
  const content = Buffer.alloc(USER_DATA_SIZE);
  content.write(text);
  return content;
}

describe('user data', () => {
  it('is JSON behind its mark, up to the first NUL', () => {
    expect(parseUserData(disk(`${USER_DATA_MAGIC}${JSON.stringify(data)}\0rubbish`))).toEqual(data);
  });

  it('may fill its place to the last byte', () => {
    expect(parseUserData(Buffer.from(`${USER_DATA_MAGIC}${JSON.stringify(data)}`))).toEqual(data);
  });

  it.each([
    ['no mark', JSON.stringify(data)],
    ['another version', `IPS-USER-DATA-2\n${JSON.stringify(data)}`],
    ['no JSON', `${USER_DATA_MAGIC}{${data.bootKey}`],
    ['a short key', `${USER_DATA_MAGIC}${JSON.stringify({ ...data, bootKey: 'abab' })}`],
    ['nothing', ''],
  ])('is refused with %s', (_what, text) => {
    const refusal = () => parseUserData(disk(text));
    expect(refusal).toThrow('user data');
    expect(refusal).not.toThrow('abab');
  });
});

/** `make bench`: the measurements that the documents quote, on the sample disk. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { sampleDisk } from '../test/fixtures/sample-disk.ts';

const { path } = await sampleDisk(resolve(import.meta.dirname, '../build/sample/windows-sample.raw'));
const { status } = spawnSync(process.execPath, [resolve(import.meta.dirname, 'disk-block-size.ts'), path, '3'], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;

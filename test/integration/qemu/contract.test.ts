import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { providerConformance } from '../providers/conformance.ts';
import { exportOf, qemuSubject } from './subject.ts';

providerConformance('qemu', async () => {
  const subject = await qemuSubject();
  return {
    ...subject,
    userData: randomBytes(300),
    notHere: [
      { parameters: exportOf(join(subject.sourceFolder, 'missing.qcow2')), code: 'SOURCE_NOT_HERE' },
      { parameters: exportOf('/etc/hostname', 'raw'), code: 'SOURCE_NOT_HERE' },
    ],
  };
});

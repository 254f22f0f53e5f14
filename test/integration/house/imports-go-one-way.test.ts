import { describe, expect, it } from '@jest/globals';
import { wrongImports } from '../../../scripts/check-imports.ts';

describe('an import', () => {
  it.each([
    ['src/disk/copy.ts', "import { x } from '../protocol/job.ts';"],
    ['src/lib/clock.ts', "import { x } from '../protocol/job.ts';"],
    ['src/cloud/main.ts', "export * from '../connector/daemon.ts';"],
    ['src/cloud/main.ts', 'const x = await import(`../connector/daemon.ts`);'],
    ['src/cloud/main.ts', "import '../engine/main.ts';"],
    ['src/connector/supervisor.ts', "import { x } from '../../providers/qemu/index.ts';"],
    ['src/connector/supervisor.ts', "const x = await import('../../providers/qemu/index.ts');"],
    ['src/connector/providers.ts', "import { createProvider } from '../../providers/qemu/index.ts';"],
    ['providers/qemu/index.ts', "import { x } from '../../src/connector/journal.ts';"],
    ['src/newcomer/index.ts', ''],
  ])('in %s is refused: %s', (file, source) => {
    expect(wrongImports(file, source)).toHaveLength(1);
  });

  it.each([
    ['src/disk/copy.ts', "import { x } from '../lib/clock.ts';\nimport { y } from 'node:fs';"],
    ['src/cloud/jobs/offers.ts', "import { x } from '../store/store.ts';\nimport { y } from '../../protocol/job.ts';"],
    ['src/connector/providers.ts', "const x = () => import('../../providers/qemu/index.ts');"],
    ['providers/qemu/index.ts', "import { x } from '../contract.ts';"],
  ])('in %s is fine: %s', (file, source) => {
    expect(wrongImports(file, source)).toEqual([]);
  });
});

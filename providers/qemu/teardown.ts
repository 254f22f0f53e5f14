/** Removes what the ledger of one job and token still holds, newest first; what does not go stays in the ledger. */
import { join } from 'node:path';
import type { ProviderContext } from '../contract.ts';
import { wipeConfig } from './config-disk.ts';
import { FOLDER_KIND, findVm, VM_KIND, type VmTools } from './engine-vm.ts';
import { stopVm } from './stop-vm.ts';

export async function teardown(tools: VmTools, context: ProviderContext, signal: AbortSignal): Promise<void> {
  for (const row of context.ledger.open().reverse()) {
    try {
      if (row.kind === VM_KIND) {
        // A VM whose start was interrupted may have come up twice: every one of this name goes.
        for (let vm = await findVm(tools, row.name); vm; vm = await findVm(tools, row.name)) {
          if (!(await stopVm(tools, vm, signal))) throw new Error(`process ${vm.pid} does not end`);
        }
      } else if (row.kind === FOLDER_KIND) {
        const folder = join(tools.vmsFolder, row.name);
        await wipeConfig(tools.files, folder);
        await tools.files.remove(folder);
      } else continue;
    } catch (error) {
      // What was made earlier may still be in use by this one: leave the rest to the next try.
      context.log.warn('could not remove', { kind: row.kind, name: row.name, reason: String(error) });
      return;
    }
    context.ledger.gone(row);
  }
}

/** A ledger whose changes are announced: each put an event into the outbox. */
import type { Ledger } from '../../../providers/contract.ts';

export function announced(ledger: Ledger, announce: () => void): Ledger {
  return {
    intent(kind, name, details) {
      const row = ledger.intent(kind, name, details);
      announce();
      return row;
    },
    made(row, platformId) {
      ledger.made(row, platformId);
      announce();
    },
    gone(row) {
      ledger.gone(row);
      announce();
    },
    open: () => ledger.open(),
  };
}

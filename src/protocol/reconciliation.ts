/**
 * Reconciliation: after every reconnect both sides name what they hold, and this table gives one action for each pair
 * (cloud's state, connector's state, how the connector's token stands to the cloud's). The code *is* the table;
 * docs/link.md shows the same and a test compares the two.
 */
import { compareTokens, type Token } from './token.ts';

/** What a connector says of a job in its journal. */
export const HELD_STATES = [
  /** Accepted and on its way, up to and including "verified". */
  'running',
  /** The grant to commit is in the journal. */
  'committing',
  /** The outcome is decided: teardown or its report is under way. */
  'finishing',
  /** Reported, but the ledger is not empty: the sweeper goes on. */
  'leftover',
] as const;
export type HeldState = (typeof HELD_STATES)[number];
export type ConnectorView = HeldState | 'absent';

/** What the cloud's store says of a job, seen from one connector. */
export const CLOUD_VIEWS = [
  /** No such job: the cloud was restored from an older backup. */
  'unknown',
  /** Waiting in the queue. */
  'queued',
  /** Offered to this connector, not answered yet. */
  'offered',
  /** In progress, held by this connector. */
  'held',
  /** As `held`, and an operator asked to cancel. */
  'cancelling',
  /** Granted to this connector. */
  'committing',
  /** Held by (or granted to) another connector. */
  'elsewhere',
  /** Complete, failed or cancelled. */
  'over',
] as const;
export type CloudView = (typeof CLOUD_VIEWS)[number];

export const TOKEN_RELATIONS = ['older', 'same', 'newer'] as const;
export type TokenRelation = (typeof TOKEN_RELATIONS)[number];

/** Actions that the connector is told by `settle`. */
export const SETTLE_ACTIONS = [
  /** Go on; the lease counts from now. */
  'continue',
  /** Cancel it as an operator would. */
  'cancel',
  /** The grant to commit holds: commit now if not done. */
  'commit',
  /** Stop: tear down what was made, cause no other effect; the outcome counts for nothing. */
  'stop',
  /** Send the outcome (again) when it is there. */
  'report',
  /** The outcome is known here: drop the job once its ledger is empty. */
  'forget',
] as const;
export type SettleAction = (typeof SETTLE_ACTIONS)[number];

/** What the cloud does to its own store, before or instead of telling the connector something. */
export type CloudAction =
  | 'none'
  /** Record the acceptance that was missed; then `continue`. */
  | 'accept'
  /** Take holder and token from the connector: it is ahead of a restored cloud; then as its state asks. */
  | 'adopt'
  /** Nobody has it: back to the queue. */
  | 'requeue'
  /** Granted, and the holder knows nothing of it: end as failed with `COMMIT_UNKNOWN`. */
  | 'failUnknown';

export interface Settlement {
  cloud: CloudAction;
  /** Undefined: there is nobody to tell. */
  connector: SettleAction | undefined;
}

const cell = (cloud: CloudAction, connector?: SettleAction): Settlement => ({ cloud, connector });

const NOTHING = cell('none');
const STOP = cell('none', 'stop');
const FORGET = cell('none', 'forget');

/** The connector has no trace of the job. */
const ABSENT: Record<CloudView, Settlement> = {
  unknown: NOTHING,
  queued: NOTHING,
  offered: cell('requeue'),
  held: cell('requeue'),
  cancelling: cell('requeue'),
  committing: cell('failUnknown'),
  elsewhere: NOTHING,
  over: NOTHING,
};

/** Tokens are equal; where the cloud has none to compare (`unknown`), this is the table too. */
const SAME: Record<CloudView, Record<HeldState, Settlement>> = {
  unknown: { running: STOP, committing: STOP, finishing: FORGET, leftover: FORGET },
  // The offer was withdrawn unanswered, and nothing was given away since.
  queued: {
    running: cell('accept', 'continue'),
    committing: cell('adopt', 'commit'),
    finishing: cell('accept', 'report'),
    leftover: cell('accept', 'report'),
  },
  offered: {
    running: cell('accept', 'continue'),
    committing: cell('adopt', 'commit'),
    finishing: cell('accept', 'report'),
    leftover: cell('accept', 'report'),
  },
  held: {
    running: cell('none', 'continue'),
    committing: cell('adopt', 'commit'),
    finishing: cell('none', 'report'),
    leftover: cell('none', 'report'),
  },
  cancelling: {
    running: cell('none', 'cancel'),
    committing: cell('adopt', 'commit'),
    finishing: cell('none', 'report'),
    leftover: cell('none', 'report'),
  },
  committing: {
    running: cell('none', 'commit'),
    committing: cell('none', 'commit'),
    finishing: cell('none', 'report'),
    leftover: cell('none', 'report'),
  },
  elsewhere: { running: STOP, committing: STOP, finishing: FORGET, leftover: FORGET },
  over: { running: STOP, committing: STOP, finishing: FORGET, leftover: FORGET },
};

/** The connector's lease is stale: whatever it did counts for nothing, whatever the cloud's state is. */
const OLDER: Record<HeldState, Settlement> = { running: STOP, committing: STOP, finishing: FORGET, leftover: FORGET };

/** The connector is ahead: the cloud was restored from a backup taken before this lease was given. */
const NEWER: Record<CloudView, Record<HeldState, Settlement>> = {
  unknown: SAME.unknown,
  queued: {
    running: cell('adopt', 'continue'),
    committing: cell('adopt', 'commit'),
    finishing: cell('adopt', 'report'),
    leftover: cell('adopt', 'report'),
  },
  offered: {
    running: cell('adopt', 'continue'),
    committing: cell('adopt', 'commit'),
    finishing: cell('adopt', 'report'),
    leftover: cell('adopt', 'report'),
  },
  held: {
    running: cell('adopt', 'continue'),
    committing: cell('adopt', 'commit'),
    finishing: cell('adopt', 'report'),
    leftover: cell('adopt', 'report'),
  },
  cancelling: {
    running: cell('adopt', 'cancel'),
    committing: cell('adopt', 'commit'),
    finishing: cell('adopt', 'report'),
    leftover: cell('adopt', 'report'),
  },
  committing: {
    running: cell('adopt', 'continue'),
    committing: cell('adopt', 'commit'),
    finishing: cell('adopt', 'report'),
    leftover: cell('adopt', 'report'),
  },
  elsewhere: {
    running: cell('adopt', 'continue'),
    committing: cell('adopt', 'commit'),
    finishing: cell('adopt', 'report'),
    leftover: cell('adopt', 'report'),
  },
  over: { running: STOP, committing: STOP, finishing: FORGET, leftover: FORGET },
};

/** How the connector's token stands to the cloud's; a job for which the cloud has no token gives `same`. */
export function tokenRelation(connector: Token, cloud: Token | undefined): TokenRelation {
  if (cloud === undefined) return 'same';
  const order = compareTokens(connector, cloud);
  return order < 0 ? 'older' : order > 0 ? 'newer' : 'same';
}

/** The one action for a pair of states. `relation` does not matter when the connector has no trace of the job. */
export function settle(cloud: CloudView, connector: ConnectorView, relation: TokenRelation): Settlement {
  if (connector === 'absent') return ABSENT[cloud];
  if (relation === 'older') return OLDER[connector];
  return (relation === 'newer' ? NEWER : SAME)[cloud][connector];
}

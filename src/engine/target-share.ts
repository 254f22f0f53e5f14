/**
 * The share as the engine's task sees it. `cifs-share.ts` is the real one; a folder stands in for it where the agent
 * runs as a plain process (`folder-share.ts`). Names are relative to the target folder. Calls throw `IpsError` with the
 * codes of the share, or the signal's reason.
 */
export interface TargetShare {
  /** Length of a file in bytes, or undefined when there is none. */
  size(name: string, signal: AbortSignal): Promise<number | undefined>;
  /**
   * One step on the server, refused by it when `to` is there.
   * @throws IpsError TARGET_EXISTS
   */
  rename(from: string, to: string, signal: AbortSignal): Promise<void>;
  /** What is not there counts as removed. */
  remove(name: string, signal: AbortSignal): Promise<void>;
  /**
   * `verify` is a session of its own that reads past every cache of this machine.
   * @throws IpsError SMB_LOGON_FAILED, SMB_SHARE_NOT_FOUND, SMB_FOLDER_NOT_FOUND, SMB_ACCESS_DENIED, SMB_UNREACHABLE, …
   */
  mount(purpose: MountPurpose, signal: AbortSignal): Promise<MountedShare>;
}

export type MountPurpose = 'write' | 'verify';

export interface MountedShare {
  /** The target folder, as a path here. */
  readonly folder: string;
  /** Unmounts, waiting for a bounded time only; never throws. May be called again. */
  release(): Promise<void>;
}

/**
 * The error catalogue: every code a user can meet, with one sentence of cause and one of remedy. Codes are stable and
 * documented in docs/errors.md; a test fails when the two part.
 */

export interface ErrorEntry {
  /** HTTP status when the code answers a request; jobs carry codes without one. */
  readonly status: number;
  readonly cause: string;
  readonly remedy: string;
}

const entry = (status: number, cause: string, remedy: string): ErrorEntry => ({ status, cause, remedy });

export const ERRORS = {
  // Requests
  REQUEST_INVALID: entry(400, 'The request does not fit its schema.', 'Correct the fields that the message names.'),
  UNAUTHENTICATED: entry(401, 'The API token is missing, unknown or revoked.', 'Run "ips login" with a valid token.'),
  FORBIDDEN: entry(403, 'The role of this API token does not allow the action.', 'Use a token with the role named.'),
  NOT_FOUND: entry(404, 'There is nothing with this name or id.', 'List what there is and check the spelling.'),
  ALREADY_EXISTS: entry(
    409,
    'Something with this name is already there.',
    'Choose another name or remove the old one.',
  ),
  IN_USE: entry(409, 'Something else still depends on this.', 'Remove what the message names first.'),
  IDEMPOTENCY_KEY_REUSED: entry(
    409,
    'This Idempotency-Key was used before with another request.',
    'Use a new key for a new request.',
  ),
  TARGET_BUSY: entry(
    409,
    'Another live job writes to the same target.',
    'Wait for the job that is named, cancel it, or choose another target name.',
  ),
  JOB_COMMITTING: entry(
    409,
    'The job is being committed and can no longer be cancelled.',
    'Wait a moment for its result.',
  ),
  JOB_OVER: entry(409, 'The job has already ended.', 'Start a new job if you need another run.'),
  RATE_LIMITED: entry(429, 'Too many tries in a short time.', 'Wait for the time that Retry-After names.'),
  INTERNAL: entry(
    500,
    'The program met something that it was not written for.',
    'Report it with the log of that minute; trying again is safe.',
  ),

  // Reaching the cloud
  CLOUD_UNREACHABLE: entry(
    503,
    'The cloud service does not answer at this address.',
    'Check the address, the port and the firewall, and that ips-cloud runs.',
  ),
  CLOUD_PIN_MISMATCH: entry(
    502,
    'The cloud service showed another key than the pinned one.',
    'Compare the pin with the one that ips-cloud printed; if they differ, somebody may be in between.',
  ),
  CLOUD_CERTIFICATE_REFUSED: entry(
    502,
    'The certificate of the cloud service is not trusted.',
    'Give the pin that ips-cloud printed, or the CA certificate that signed it.',
  ),

  // Pairing
  PAIRING_CODE_UNKNOWN: entry(
    404,
    'This pairing code does not exist.',
    'Check the characters, or issue a new code with "ips connector pair".',
  ),
  PAIRING_CODE_USED: entry(409, 'This pairing code was used already.', 'Issue a new code with "ips connector pair".'),
  PAIRING_CODE_EXPIRED: entry(
    410,
    'This pairing code is older than its 15 minutes.',
    'Issue a new code with "ips connector pair".',
  ),
  PAIRING_TOO_MANY_PENDING: entry(
    429,
    'Too many appliances wait for a confirmation.',
    'Confirm or let expire the pending ones, then pair again.',
  ),
  ALREADY_PAIRED: entry(
    409,
    'This appliance is already paired with a cloud service.',
    'Run "ips-connector unpair" first if it should be paired anew.',
  ),
  NOT_PAIRED: entry(409, 'This appliance is not paired yet.', 'Run "ips-connector pair" first.'),
  CONNECTOR_UNKNOWN: entry(
    404,
    'The cloud service does not know this connector, or it was removed.',
    'Unpair the appliance and pair it again.',
  ),
  CONNECTOR_REFUSED: entry(
    403,
    'The connector could not prove its identity.',
    'Pair the appliance again if its keys were lost or changed.',
  ),
  CONNECTOR_CLONED: entry(
    409,
    'Two appliances use the identity of one connector: a clone or a restored snapshot.',
    'Shut the wrong one down, then run "ips connector trust NAME".',
  ),

  // Credentials
  CREDENTIAL_NOT_FOUND: entry(
    404,
    'The job names a credential that is not in the wallet.',
    'Store it with "ips credential set".',
  ),
  CREDENTIAL_TARGET_REFUSED: entry(
    403,
    'The credential may not be used for this host.',
    'Point the job at an allowed target, or let an admin add the host to the allowed targets.',
  ),
  CREDENTIAL_UNREADABLE: entry(
    500,
    'A sealed credential could not be opened.',
    'Restore the wallet key that belongs to this database, or store the credential again.',
  ),

  // Scheduling
  NO_CONNECTOR: entry(
    409,
    'No connector of this resource location took the job before its queue timeout.',
    'Check "ips connector list": one must be connected, trusted and have the platform.',
  ),
  SOURCE_NOT_HERE: entry(
    422,
    'No connector of this resource location has the source disk.',
    'Check the path, and that it lies in a source folder of the connector on that machine.',
  ),
  JOB_TIMEOUT: entry(
    504,
    'The job did not finish within its timeout.',
    'Give it more time with --timeout, or look in its log for what was slow.',
  ),
  JOB_CANCELLED: entry(409, 'The job was cancelled.', 'Start it again when you want it.'),
  LEASE_LOST: entry(
    409,
    'The job was given to another connector while this one was away.',
    'Nothing to do: the other connector reports the result.',
  ),
  COMMIT_UNKNOWN: entry(
    500,
    'The connector lost its journal or its engine while the job was being committed, so nobody knows whether the file is in place.',
    'Look on the share: the file is complete if it is there under its final name.',
  ),
  WORKER_CRASHED: entry(
    500,
    'The worker process of the job crashed again and again.',
    'Report it with the log of the connector; the disk was not touched.',
  ),

  // Source
  SOURCE_NOT_FOUND: entry(404, 'The source disk is not there.', 'Check the path of the source disk.'),
  SOURCE_IN_USE: entry(
    409,
    'A running virtual machine has the source disk open.',
    'Shut the virtual machine down, then start the job again.',
  ),
  SOURCE_UNREADABLE: entry(
    422,
    'The source disk cannot be read as the format it claims.',
    'Check it with "qemu-img check" and give the right --disk-format.',
  ),
  SOURCE_BACKING_REFUSED: entry(
    422,
    'The source disk refers to another file that lies outside the source folders.',
    'Copy the whole chain into a source folder, or flatten the disk first.',
  ),
  SOURCE_READ_FAILED: entry(
    502,
    'Reading the source disk failed half-way.',
    'Check the storage under the source disk, then start the job again.',
  ),

  // Engine
  ENGINE_IMAGE_MISSING: entry(
    500,
    'The engine image is not installed on the connector, or is damaged.',
    'Run "make engine-image", copy build/engine to the connector, and check engine.imageFolder.',
  ),
  ENGINE_START_FAILED: entry(
    500,
    'The engine virtual machine could not be started.',
    'Look at the message of the hypervisor in the job log.',
  ),
  ENGINE_UNREACHABLE: entry(
    504,
    'The engine virtual machine never answered.',
    'Look at the serial console in the job log; check the network between connector and engine.',
  ),
  ENGINE_IMPOSTOR: entry(
    502,
    'Something answered on the address of the engine that does not have its key.',
    'Find out what listens there; no data was sent to it.',
  ),
  ENGINE_LOST: entry(
    502,
    'The engine virtual machine stopped or restarted during the job.',
    'Look at the serial console in the job log, then start the job again.',
  ),
  ENGINE_REFUSED: entry(
    500,
    'The engine refused a request of the connector.',
    'Check that connector and engine image are of one release.',
  ),

  // Share
  SMB_UNREACHABLE: entry(
    502,
    'The file server does not answer.',
    'Check host, port and firewall between the engine and the file server.',
  ),
  SMB_LOGON_FAILED: entry(
    403,
    'The file server refused the user name or password.',
    'Store the right ones with "ips credential set".',
  ),
  SMB_SHARE_NOT_FOUND: entry(
    404,
    'The file server has no share of this name.',
    'Check the share name in the target location.',
  ),
  SMB_FOLDER_NOT_FOUND: entry(
    404,
    'The folder in the target location does not exist on the share.',
    'Create the folder, or correct the target location.',
  ),
  SMB_ACCESS_DENIED: entry(
    403,
    'The user may not write to the share or folder.',
    'Give the user change permission on the share and in the file system.',
  ),
  SMB_PROTOCOL_REFUSED: entry(
    502,
    'The file server does not offer SMB 3.1.1 with encryption.',
    'Enable SMB 3.1.1 with encryption on the file server.',
  ),
  SMB_FAILED: entry(
    502,
    'The file server answered with an unexpected error.',
    'Look at the status in the message and at the log of the file server.',
  ),
  SHARE_FULL: entry(507, 'The share ran out of space.', 'Free some space on the share, then start the job again.'),
  TARGET_EXISTS: entry(
    409,
    'A file of the target name is already on the share.',
    'Choose another name, or remove that file yourself.',
  ),
  TARGET_WRITE_FAILED: entry(
    502,
    'Writing to the share failed half-way.',
    'Look at the log of the file server, then start the job again.',
  ),
  TARGET_FORMAT_REFUSED: entry(
    422,
    'A disk of this size cannot be written in the target format.',
    'Choose VHDX, or resize the disk.',
  ),
  HASH_MISMATCH: entry(
    502,
    'What stands on the share is not what was written.',
    'Check storage and network of the file server; the damaged file was removed.',
  ),

  // This machine
  CONFIG_INVALID: entry(400, 'The configuration is not valid.', 'Correct the settings that the message names.'),
  USAGE: entry(400, 'The command was not understood.', 'Run it with --help.'),
  NOT_LOGGED_IN: entry(401, 'Nobody is logged in to the cloud service.', 'Run "ips login --url https://…" first.'),
  INTERRUPTED: entry(
    400,
    'The command was interrupted.',
    'Look before you repeat it: what was asked for may have been done all the same.',
  ),
  WRONG_USER: entry(
    500,
    'This runs as another user than the one whose files it would work with.',
    'Run it as the owner of the folder: runuser -u USER -- COMMAND.',
  ),
  FILE_NOT_PRIVATE: entry(
    500,
    'A file that holds a secret can be read by others.',
    'Set its mode to 0600 and consider the secret exposed.',
  ),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}

/** An error as it is stored, sent and shown: never with a stack, never with a secret. */
export interface ErrorReport {
  code: ErrorCode;
  /** One sentence of cause, with the particulars of this case. */
  message: string;
  /** One sentence of remedy. */
  hint: string;
}

/** An error as every program prints it: the cause, and what to do below it. */
export function errorText({ code, message, hint }: { code: string; message: string; hint: string }): string {
  return `error ${code}: ${message}\n  → ${hint}`;
}

/** The house's error. The message is the catalogue's cause unless particulars are given. */
export class IpsError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, particulars?: string, options?: { cause?: unknown; hint?: string }) {
    super(
      particulars ? `${ERRORS[code].cause} ${particulars}` : ERRORS[code].cause,
      options?.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'IpsError';
    this.code = code;
    this.hint = options?.hint ?? ERRORS[code].remedy;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  report(): ErrorReport {
    return { code: this.code, message: this.message, hint: this.hint };
  }

  /** The same error again on the other side of a wire. */
  static from(report: ErrorReport): IpsError {
    const error = new IpsError(report.code, undefined, { hint: report.hint });
    error.message = report.message;
    return error;
  }
}

/** An error as it came over a wire; a code that this release does not know becomes `INTERNAL`. */
export function knownReport(report: { code: string; message: string; hint: string }): ErrorReport {
  return { ...report, code: isErrorCode(report.code) ? report.code : 'INTERNAL' };
}

export function isIpsError(error: unknown): error is IpsError {
  return error instanceof IpsError;
}

/** Any failure as an `IpsError`: what is not ours becomes `INTERNAL` with its message. */
export function toIpsError(error: unknown): IpsError {
  if (isIpsError(error)) return error;
  return new IpsError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error });
}

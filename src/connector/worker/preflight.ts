/** The checks before anything is made: what the provider sees of the source, what the connector sees of the share. */
import type { SourceView } from '../../../providers/contract.ts';
import { ERRORS, type ErrorCode, IpsError, isErrorCode, isIpsError } from '../../protocol/errors.ts';
import type { Finding } from '../../protocol/finding.ts';
import type { DiskFormat } from '../../protocol/job.ts';
import { formatSmbLocation, parseSmbLocation } from '../../protocol/smb-location.ts';
import type { Attempt } from './attempt.ts';
import type { ShareFolder } from './environment.ts';
import { limited, SHARE_CALL_MS } from './limits.ts';

/**
 * Largest virtual size, in bytes (Virtual Hard Disk Image Format Specification, "Hard Disk Footer"; [MS-VHDX] 2.6.2.2).
 */
const MAX_BYTES: Readonly<Record<DiskFormat, number>> = { vhd: 2040 * 1024 ** 3, vhdx: 64 * 1024 ** 4 };
const TOO_LARGE = 'A VHD holds up to 2040 GiB, a VHDX up to 64 TiB: choose a format that holds the disk, or resize it.';
/** What follows the disk's content in a fixed VHD, in bytes (the same, "Hard Disk Footer"). */
const VHD_FOOTER_BYTES = 512;

/**
 * Runs all checks and tells what they found.
 * @throws IpsError with the code of the first critical finding
 */
export async function runPreflight(attempt: Attempt, signal: AbortSignal): Promise<void> {
  const findings = [...(await sourceFindings(attempt, signal)), ...(await shareFindings(attempt, signal))];
  attempt.record.tell({ kind: 'findings', findings });
  const critical = findings.find(({ severity }) => severity === 'critical');
  if (critical) throw asError(critical);
}

async function sourceFindings(attempt: Attempt, signal: AbortSignal): Promise<Finding[]> {
  const { parameters } = attempt.record.job;
  const findings: Finding[] = [];
  try {
    findings.push(
      ...(await attempt.platform('preflight', signal, (inTime) =>
        attempt.provider.preflight(parameters, attempt.context, inTime),
      )),
    );
    if (findings.some(({ severity }) => severity === 'critical')) return findings;
    const { virtualSize } = await attempt.source(signal);
    const most = MAX_BYTES[parameters.target.format];
    if (virtualSize > most) {
      const message = `It has ${virtualSize} bytes, of at most ${most}.`;
      throw new IpsError('TARGET_FORMAT_REFUSED', message, { hint: TOO_LARGE });
    }
  } catch (error) {
    findings.push(critical(foreseen(error, signal)));
  }
  return findings;
}

async function shareFindings(attempt: Attempt, signal: AbortSignal): Promise<Finding[]> {
  const credential = await attempt.desk.credential('run', signal);
  const share = attempt.environment.openShare(credential.access());
  const late = () => new IpsError('SMB_UNREACHABLE', `There was no answer in ${SHARE_CALL_MS / 1000} s.`);
  try {
    return await limited(attempt.environment.clock, SHARE_CALL_MS, late, signal, (inTime) =>
      lookAtShare(attempt, share, inTime),
    );
  } catch (error) {
    const failure = foreseen(error, signal);
    // The engine stands elsewhere in the network: what the connector cannot reach, it may.
    if (failure.code === 'SMB_UNREACHABLE') return [{ ...critical(failure), severity: 'warning' }];
    return [critical(failure)];
  }
}

async function lookAtShare(attempt: Attempt, share: ShareFolder, signal: AbortSignal): Promise<Finding[]> {
  const location = formatSmbLocation(parseSmbLocation(attempt.record.job.parameters.target.location));
  const { freeBytes } = await share.probe(signal);
  if ((await share.size(attempt.fileName, signal)) !== undefined)
    return [critical(new IpsError('TARGET_EXISTS', `It is ${attempt.fileName} in ${location}.`))];
  const source = attempt.knownSource;
  return freeBytes === undefined || source === undefined ? [] : [spaceFinding(attempt, source, freeBytes)];
}

/** A VHD has its full length at once. A VHDX grows with what is written, and blocks that turn out to be zero are not. */
function spaceFinding(attempt: Attempt, source: SourceView, freeBytes: number): Finding {
  const isFixed = attempt.record.job.parameters.target.format === 'vhd';
  const bytes = isFixed ? source.virtualSize + VHD_FOOTER_BYTES : source.dataBytes;
  const message = `${freeBytes} bytes are free, ${isFixed ? '' : 'up to '}${bytes} are needed.`;
  if (freeBytes >= bytes) return { severity: 'info', code: 'SHARE_SPACE', message };
  if (isFixed) return critical(new IpsError('SHARE_FULL', message));
  return { severity: 'warning', code: 'SHARE_SPACE', message, remedy: ERRORS.SHARE_FULL.remedy };
}

/** An error of the catalogue is an answer of a check; anything else is not. */
function foreseen(error: unknown, signal: AbortSignal): IpsError {
  signal.throwIfAborted();
  if (!isIpsError(error)) throw error;
  return error;
}

function critical(error: IpsError): Finding {
  return { severity: 'critical', code: error.code, message: error.message, remedy: error.hint };
}

function asError(finding: Finding): IpsError {
  const code: ErrorCode = isErrorCode(finding.code) ? finding.code : 'INTERNAL';
  return IpsError.from({ code, message: finding.message, hint: finding.remedy ?? ERRORS[code].remedy });
}

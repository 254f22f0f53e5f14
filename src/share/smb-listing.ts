/**
 * The lines that smbclient's `ls` prints: two spaces, the name padded to 30 bytes, attributes in 7 columns, a space, the
 * size padded to 8, two spaces, a date. Names are read from what is left when the rest was taken off the end.
 */

export interface SmbEntry {
  name: string;
  /** Bytes; 0 for a folder. */
  size: number;
}

export interface SmbListing {
  entries: SmbEntry[];
  /** Bytes that the user may still write, quota included; undefined when the server did not say. */
  freeBytes: number | undefined;
}

const DATE = / {2}[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/;
const SIZE = / ([ ]*\d+)$/;
const ATTRIBUTE_COLUMNS = 7;
const FREE = /^\t*(\d+) blocks of size (\d+)\. (\d+) blocks available$/;

export function parseListing(output: string): SmbListing {
  const listing: SmbListing = { entries: [], freeBytes: undefined };
  for (const line of output.split('\n')) {
    const free = FREE.exec(line);
    if (free) listing.freeBytes = Number(free[2]) * Number(free[3]);
    const entry = parseEntry(line);
    if (entry && entry.name !== '.' && entry.name !== '..') listing.entries.push(entry);
  }
  return listing;
}

function parseEntry(line: string): SmbEntry | undefined {
  if (!line.startsWith('  ') || !DATE.test(line)) return undefined;
  const dated = line.replace(DATE, '');
  // The size fills at least 8 columns: fewer digits bring their own padding, which is no part of the attributes.
  const digits = /\d+$/.exec(dated)?.[0] ?? '';
  const start = dated.length - Math.max(8, digits.length) - 1;
  if (digits === '' || !SIZE.test(dated.slice(start)) || start < 2 + ATTRIBUTE_COLUMNS) return undefined;
  return { name: dated.slice(2, start - ATTRIBUTE_COLUMNS).trimEnd(), size: Number(digits) };
}

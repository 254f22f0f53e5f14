/** Plain tables: aligned columns, two spaces between them, no frames; fit for people, grep and cut. */

import { oneLine } from './plain-text.ts';

/** One text, a line a row; empty rows give the note instead. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[], emptyNote: string): string {
  if (rows.length === 0) return emptyNote;
  const all = [heads.map((head) => head.toUpperCase()), ...rows.map((row) => row.map(oneLine))];
  const widths = heads.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Pairs of a name and a value, one a line; pairs without a value are left out. */
export function facts(pairs: readonly (readonly [name: string, value: string | undefined])[]): string {
  const shown = pairs.filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '');
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${oneLine(value)}`).join('\n');
}

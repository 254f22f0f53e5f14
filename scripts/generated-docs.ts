/**
 * Documents that are made from the code they describe, so that the two cannot part: `node scripts/generated-docs.ts`
 * writes them, and the checks fail when they are not up to date.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { qemuSettingsSchema } from '../providers/qemu/settings.ts';
import { CONFIG_SCHEMA as CLOUD_SETTINGS } from '../src/cloud/config.ts';
import { CONFIG_SCHEMA as CONNECTOR_SETTINGS } from '../src/connector/config.ts';
import { ERRORS } from '../src/protocol/errors.ts';
import {
  CLOUD_VIEWS,
  type CloudView,
  HELD_STATES,
  type Settlement,
  settle,
  TOKEN_RELATIONS,
} from '../src/protocol/reconciliation.ts';

/** File, and the text that must stand between its markers. */
export const GENERATED: readonly { file: string; name: string; text: () => string }[] = [
  { file: 'docs/errors.md', name: 'errors', text: errorTable },
  { file: 'docs/link.md', name: 'reconciliation', text: reconciliationTables },
  { file: 'docs/operations.md', name: 'cloud-settings', text: () => settingsTable(CLOUD_SETTINGS) },
  { file: 'docs/operations.md', name: 'connector-settings', text: () => settingsTable(CONNECTOR_SETTINGS) },
  { file: 'docs/operations.md', name: 'qemu-settings', text: qemuTable },
];

interface Setting {
  doc: string;
  default: unknown;
  env?: string;
  arg?: string;
}
interface Settings {
  [name: string]: Setting | Settings;
}

function isSetting(value: Setting | Settings): value is Setting {
  return typeof value.doc === 'string';
}

function settingsTable(schema: Settings): string {
  const rows = (settings: Settings, prefix: string): string[] =>
    Object.entries(settings).flatMap(([name, value]) => {
      if (!isSetting(value)) return rows(value, `${prefix}${name}.`);
      const flag = value.arg ? `\`--${value.arg}\`` : '';
      return [
        `| \`${prefix}${name}\` | \`${JSON.stringify(value.default)}\` | \`${value.env ?? ''}\` | ${flag} | ${value.doc} |`,
      ];
    });
  return ['| setting | default | environment | flag | meaning |', '|---|---|---|---|---|', ...rows(schema, '')].join(
    '\n',
  );
}

function qemuTable(): string {
  const rows = Object.entries(qemuSettingsSchema.shape)
    // The connector fills it in from engine.imageFolder.
    .filter(([name]) => name !== 'engineImageFolder')
    .map(([name, field]) => {
      const { description = '' } = field;
      const standard =
        'def' in field && 'defaultValue' in field.def ? `\`${JSON.stringify(field.def.defaultValue)}\`` : 'required';
      return `| \`${name}\` | ${standard} | ${description} |`;
    });
  return ['| setting | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

function errorTable(): string {
  return Object.entries(ERRORS)
    .map(
      ([code, { status, cause, remedy }]) => `### ${code}\n\nHTTP ${status}. ${cause}\n\n**What to do:** ${remedy}\n`,
    )
    .join('\n');
}

function reconciliationTables(): string {
  const show = ({ cloud, connector }: Settlement) =>
    [cloud === 'none' ? '' : `*${cloud}*`, connector ? `\`${connector}\`` : ''].filter(Boolean).join(' → ') || '–';
  const table = (heading: string, columns: readonly string[], row: (view: CloudView) => Settlement[]) =>
    [
      `### ${heading}\n`,
      `| cloud | ${columns.join(' | ')} |`,
      `|---|${columns.map(() => '---|').join('')}`,
      ...CLOUD_VIEWS.map((view) => `| ${view} | ${row(view).map(show).join(' | ')} |`),
      '',
    ].join('\n');
  return [
    table('The connector has no trace of the job', ['absent'], (view) => [settle(view, 'absent', 'same')]),
    ...TOKEN_RELATIONS.map((relation) =>
      table(`The connector's token is ${relation}`, HELD_STATES, (view) =>
        HELD_STATES.map((held) => settle(view, held, relation)),
      ),
    ),
  ].join('\n');
}

/** The file with the part between its markers replaced. @throws Error when it has no markers */
export function withGenerated(document: string, name: string, text: string): string {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`no markers for "${name}"`);
  return `${document.slice(0, from + begin.length)}\n\n${text.trim()}\n\n${document.slice(to)}`;
}

/** One line for each document that is not what the code says. */
export async function checkGeneratedDocs(): Promise<string[]> {
  const complaints: string[] = [];
  for (const { file, name, text } of GENERATED) {
    const document = await readFile(file, 'utf8');
    if (withGenerated(document, name, text()) !== document)
      complaints.push(`${file}: not up to date; run node scripts/generated-docs.ts`);
  }
  return complaints;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { file, name, text } of GENERATED) {
    await writeFile(file, withGenerated(await readFile(file, 'utf8'), name, text()));
  }
}

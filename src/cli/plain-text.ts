/**
 * Text of others on a terminal: names, notes, paths, messages. Whatever would move the cursor, colour, hide or reorder what
 * stands there is left out.
 */
import { errorText } from '../protocol/errors.ts';

/** Control characters but the line feed, bidirectional controls, line and paragraph separators. */
const UNSEEN = /(?!\n)[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** Lines stay lines. */
export function plainText(text: string): string {
  return text.replaceAll('\t', ' ').replace(UNSEEN, '');
}

/** For a cell or a value: what comes after a line feed cannot pass for a line of ours. */
export function oneLine(text: string): string {
  return plainText(text).replaceAll('\n', ' ');
}

/** For text that may be long: its further lines are kept, indented so that they cannot pass for ours. */
export function indented(text: string, by = '  '): string {
  return plainText(text).replaceAll('\n', `\n${by}`);
}

export function plainError({ code, message, hint }: { code: string; message: string; hint: string }): string {
  return errorText({ code: oneLine(code), message: indented(message), hint: indented(hint) });
}

/** JSON with those characters escaped: to a program it is the same. */
export function plainJson(value: unknown, indent?: number): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value, undefined, indent).replace(UNSEEN, escaped);
}

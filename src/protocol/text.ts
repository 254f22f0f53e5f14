/** Text that others give us and that ends up in logs and on terminals. */
import { z } from 'zod';

/** Text of one line: nothing in it moves the cursor of a terminal or turns the order of reading. */
export const plainLineSchema = z
  .string()
  .regex(/^[^\p{Cc}\p{Bidi_Control}\u2028\u2029]*$/u, 'one line, without control characters');

/** The version that a program says it has. */
export const versionSchema = z.string().regex(/^[\x21-\x7e]{1,64}$/, 'at most 64 visible ASCII characters');

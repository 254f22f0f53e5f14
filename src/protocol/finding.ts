/** What a check saw. A critical finding stops the job; a warning or an info does not. */
import { z } from 'zod';

export const findingSchema = z.object({
  severity: z.enum(['critical', 'warning', 'info']),
  /** Stable name of the check's outcome; for a critical finding, the error code that the job fails with. */
  code: z.string(),
  message: z.string(),
  remedy: z.string().optional(),
});

export type Finding = z.infer<typeof findingSchema>;

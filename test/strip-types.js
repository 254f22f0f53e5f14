import { stripTypeScriptTypes } from 'node:module';

/** A jest transform: Node's own type stripping, so tests run exactly what `node file.ts` runs. */
export default {
  process: (source) => ({ code: stripTypeScriptTypes(source, { mode: 'strip' }) }),
};

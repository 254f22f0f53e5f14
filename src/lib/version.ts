/** The version of the whole package: every program is released with the others. */
import manifest from '../../package.json' with { type: 'json' };

export const VERSION: string = manifest.version;

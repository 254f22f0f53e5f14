/**
 * Which module serves a platform. Each is loaded only when it is asked for, and only in workers: cloud SDKs are heavy.
 * The paths are literal, so that the bundler sees them.
 */
import type { CreateProvider } from '../../providers/contract.ts';
import type { Platform } from '../protocol/job.ts';

const MODULES: Partial<Record<Platform, () => Promise<{ createProvider: CreateProvider }>>> = {
  qemu: () => import('../../providers/qemu/index.ts'),
};

/** Platforms that this release can serve. */
export const KNOWN_PLATFORMS = Object.keys(MODULES) as Platform[];

/** @throws Error when this release has no provider for the platform */
export async function loadProvider(platform: Platform): Promise<CreateProvider> {
  const load = MODULES[platform];
  if (!load) throw new Error(`no provider for platform ${platform}`);
  return (await load()).createProvider;
}

/**
 * A share in memory: names and sizes. What it cannot show: SMB, permissions, caches, locks, what a server does half-way.
 */
import { IpsError } from '../../src/protocol/errors.ts';

export class ShareDouble {
  readonly files = new Map<string, number>();
  freeBytes = 1024 ** 3;
  /** The only password that is taken, where the caller gives one; undefined: any. */
  password: string | undefined;
  /** Every call of a connector fails with this. */
  failure: ConstructorParameters<typeof IpsError>[0] | undefined;
  /** What the connector asked for, in order: each is a log-on of its own. */
  readonly calls: string[] = [];

  write(name: string, size: number): void {
    this.files.set(name, size);
  }

  remove(name: string): void {
    this.files.delete(name);
  }

  /** As a server renames: refused when the new name is taken. */
  rename(from: string, to: string): boolean {
    const size = this.files.get(from);
    if (size === undefined || this.files.has(to)) return false;
    this.files.delete(from);
    this.files.set(to, size);
    return true;
  }

  /** A connector's call. */
  call(method: 'probe' | 'size' | 'remove', name: string, password?: string): unknown {
    this.calls.push(method);
    if (this.password !== undefined && password !== this.password) throw new IpsError('SMB_LOGON_FAILED');
    if (this.failure) throw new IpsError(this.failure);
    if (method === 'probe') return { freeBytes: this.freeBytes };
    if (method === 'size') return this.files.get(name);
    this.remove(name);
    return undefined;
  }
}

/**
 * The configured cloud services: `config.json` in the user's configuration folder, mode 0600, since it holds API tokens. One of
 * them is the current one; `--deployment NAME|HOST` picks another.
 */
import { readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { type Files, isErrno } from '../lib/files.ts';
import type { PeerTrust } from '../lib/pinned-tls.ts';
import { Secret } from '../lib/secret.ts';
import { IpsError } from '../protocol/errors.ts';

const deploymentSchema = z.object({
  url: z.url(),
  pins: z.array(z.string()).optional(),
  /** PEM. */
  ca: z.string().optional(),
  token: z.string(),
});
const configSchema = z.object({ current: z.string().optional(), deployments: z.record(z.string(), deploymentSchema) });
type Config = z.infer<typeof configSchema>;

type Environment = Readonly<Record<string, string | undefined>>;

export interface Deployment {
  name: string;
  url: URL;
  trust: PeerTrust;
  token: Secret;
}

export class Deployments {
  readonly #files: Files;
  readonly #path: string;

  constructor(files: Files, environment: Environment) {
    this.#files = files;
    this.#path = join(configurationFolder(environment), 'ips', 'config.json');
  }

  /**
   * @param wanted a name, or a host; without one the current one
   * @throws IpsError NOT_LOGGED_IN, FILE_NOT_PRIVATE, CONFIG_INVALID
   */
  pick(wanted: string | undefined): Deployment {
    const { current, deployments } = this.#read();
    const name = wanted === undefined ? current : findName(deployments, wanted);
    const found = name !== undefined && Object.hasOwn(deployments, name) ? deployments[name] : undefined;
    if (name === undefined || !found) {
      const known = Object.keys(deployments).join(', ') || 'none';
      throw new IpsError('NOT_LOGGED_IN', wanted && `No deployment is called "${wanted}"; known: ${known}.`);
    }
    const trust: PeerTrust = found.pins ? { kind: 'pins', pins: found.pins } : { kind: 'ca', ca: found.ca };
    return { name, url: new URL(found.url), trust, token: new Secret(found.token) };
  }

  /** Stores a deployment and makes it the current one. */
  async store({ name, url, trust, token }: Deployment): Promise<void> {
    const config = this.#read();
    const how = trust.kind === 'pins' ? { pins: [...trust.pins] } : trust.ca === undefined ? {} : { ca: trust.ca };
    config.deployments[name] = { url: url.origin, ...how, token: token.reveal() };
    config.current = name;
    await this.#write(config);
  }

  /** @returns the name of the one that is current now */
  async remove(name: string): Promise<string | undefined> {
    const config = this.#read();
    delete config.deployments[name];
    if (config.current === name) config.current = Object.keys(config.deployments)[0];
    await this.#write(config);
    return config.current;
  }

  async #write(config: Config): Promise<void> {
    await this.#files.makePrivateFolder(dirname(this.#path));
    await this.#files.writeDurably(this.#path, `${JSON.stringify(config, undefined, 2)}\n`);
  }

  #read(): Config {
    try {
      if ((statSync(this.#path).mode & 0o077) !== 0) throw new IpsError('FILE_NOT_PRIVATE', `It is ${this.#path}.`);
      const parsed = configSchema.safeParse(JSON.parse(readFileSync(this.#path, 'utf8')));
      if (parsed.success) return parsed.data;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return { deployments: {} };
      if (!(error instanceof SyntaxError)) throw error;
    }
    throw new IpsError('CONFIG_INVALID', `${this.#path} cannot be understood; move it away and log in again.`);
  }
}

/** Empty and relative values count as unset (XDG Base Directory Specification): a token must not land where one works. */
function configurationFolder({ XDG_CONFIG_HOME: wanted = '', HOME: home = '' }: Environment): string {
  if (isAbsolute(wanted)) return wanted;
  return join(isAbsolute(home) ? home : userInfo().homedir, '.config');
}

function findName(deployments: Config['deployments'], wanted: string): string | undefined {
  if (Object.hasOwn(deployments, wanted)) return wanted;
  return Object.keys(deployments).find((name) => {
    const url = new URL(deployments[name]?.url ?? 'https://none');
    return url.hostname === wanted || url.host === wanted;
  });
}

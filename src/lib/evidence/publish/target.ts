import type { UrlRules } from '../../input/index.js';
import type { Owner } from '../../process/index.js';

const instead = 'take them out';

/** Base of the paths of a witness. */
export const WITNESS_URL: UrlRules = { example: 'https://witness.example.com', isBase: true, instead };

/** Of a webhook. */
export const ANCHOR_URL: UrlRules = {
  example: 'https://audit.example.com/checkpoints',
  instead: 'put the URL into an environment variable and name that with urlEnv (evidence.anchors)',
};

/** Of a time-stamping authority. */
export const TSA_URL: UrlRules = { example: 'https://tsa.example.com', instead };

/** Places where checkpoints are published, out of reach of anyone who can write to the database. */
export type AnchorTarget =
  /** A line appended to a file, ideally on a mount of another host. */
  | { kind: 'file'; path: string }
  /** A commit in a git repository. */
  | {
      kind: 'git';
      repository: string;
      sign?: boolean | undefined;
      signingKey?: string | undefined;
      push?: boolean | undefined;
      /** Variables that git inherits besides its own, such as those of a credential helper. */
      passEnv?: string[] | undefined;
    }
  | { kind: 'webhook'; url: string }
  /** The same, with a variable that holds the address, which is itself a credential. */
  | { kind: 'webhook'; urlEnv: string }
  /** A time-stamping authority, RFC 3161, and the certificates (PEM) that its answers are verified with. */
  | { kind: 'tsa'; url: string; caFile: string };

export interface AnchorContext {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Environment of the programs that are started. */
  env: NodeJS.ProcessEnv;
  /** Folder of the kept checkpoints. */
  folder: string;
  /** Whom new files belong to where root writes them; null: whoever writes. */
  owner: Owner | null;
  signal?: AbortSignal | undefined;
}

/** Names a target in output and errors. */
export function anchorPlace(target: AnchorTarget): string {
  switch (target.kind) {
    case 'file':
      return target.path;
    case 'git':
      return target.repository;
    default:
      return 'url' in target ? target.url : `$${target.urlEnv}`;
  }
}

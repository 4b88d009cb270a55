import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Config } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';
import { SIGNATURE_TYPE, type VerifierKey } from '../lib/evidence/formats/index.js';
import { parseTrustedKeys } from '../lib/evidence/keys/index.js';
import type { AnchorTarget, Publication, WitnessPeer } from '../lib/evidence/publish/index.js';
import { ANCHOR_URL, WITNESS_URL } from '../lib/evidence/publish/index.js';
import { parseUrl } from '../lib/input/index.js';

export interface PublicationFlags {
  /** Addresses. */
  witness?: readonly string[] | undefined;
  /** File of the vkeys of witnesses. */
  'witness-key'?: string | undefined;
  /** `file:PATH`, `git:FOLDER`, `webhook:URL`. */
  anchor?: readonly string[] | undefined;
}

/**
 * Where flags send a checkpoint: witnesses or anchors that are given stand in the place of those configured.
 * @throws LukhasError USAGE
 */
export async function publicationOf(flags: PublicationFlags, config: Config): Promise<Publication> {
  const { evidence, cwd } = config;
  return {
    witnesses: flags.witness === undefined ? evidence.witnesses : await peers(flags, flags.witness, config),
    anchors: flags.anchor?.map((text) => anchorOf(text, cwd)) ?? evidence.anchors,
  };
}

/** Keys of the given type in a file of vkeys. @throws LukhasError USAGE */
export async function readVkeys(path: string, flag: string, type: 'note' | 'cosignature'): Promise<VerifierKey[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new LukhasError('USAGE', `${flag} ${path}: cannot be read (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
    });
  }
  // The time is for keys of other forms, which are refused.
  return parseTrustedKeys(text, path, 0).map(({ vkey }) => {
    if (vkey?.type === SIGNATURE_TYPE[type]) return vkey;
    const how = type === 'note' ? 'lukhas keys show --form vkey' : 'lukhas witness key';
    throw new LukhasError(
      'USAGE',
      `${flag} ${path}: must contain only vkeys of ${type === 'note' ? 'logs' : 'witnesses'}`,
      {
        suggestions: [`Print one: ${how}`],
      },
    );
  });
}

async function peers(
  flags: PublicationFlags,
  urls: readonly string[],
  { evidence, cwd }: Config,
): Promise<WitnessPeer[]> {
  const file = flags['witness-key'];
  const keys = file === undefined ? [] : await readVkeys(resolve(cwd, file), '--witness-key', 'cosignature');
  return urls.map((url, index) => {
    parseUrl(url, '--witness', 'USAGE', WITNESS_URL);
    const configured = evidence.witnesses.find((each) => each.url === url)?.key;
    const key = keys.length === 0 ? configured : keys[index];
    if (key !== undefined) return { url, key };
    throw new LukhasError('USAGE', `--witness ${url}: no key given`, {
      suggestions: [
        'Pass a file with one vkey for each --witness, in the same order: --witness-key FILE',
        'Or configure the witness in lukhas.yaml: evidence.witnesses.',
      ],
    });
  });
}

function anchorOf(text: string, cwd: string): AnchorTarget {
  const [, kind = '', rest = ''] = /^([a-z]+):(.+)$/s.exec(text) ?? [];
  if ((kind === 'file' || kind === 'git') && /^[a-z][a-z0-9+.-]*:\/\//i.test(rest))
    throw new LukhasError('USAGE', `--anchor ${kind}: must be a path, not a URL`, {
      suggestions: kind === 'git' ? ['Name the folder of a clone; evidence.anchors with push: true sends it on.'] : [],
    });
  if (kind === 'file') return { kind, path: resolve(cwd, rest) };
  if (kind === 'git') return { kind, repository: resolve(cwd, rest) };
  if (kind === 'webhook') {
    parseUrl(rest, `--anchor ${kind}`, 'USAGE', ANCHOR_URL);
    return { kind, url: rest };
  }
  throw new LukhasError('USAGE', 'Use file:PATH, git:FOLDER or webhook:URL.', {
    suggestions: ['Other kinds and settings go into lukhas.yaml: evidence.anchors.'],
  });
}

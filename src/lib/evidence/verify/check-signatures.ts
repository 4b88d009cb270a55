/** Checks of SHA256SUMS and of what is signed: it, the statement, the checkpoint. */
import { fingerprint, refused } from '../formats/index.js';
import type { TrustedKey } from '../keys/index.js';
import { type Check, MAX_BYTES } from './check.js';
import { checkpointSigners, readPackKeys, verifyLogCheckpoint, verifySums } from './signatures.js';
import { parseSums, sumsProblems } from './sums.js';
import { reportUnread } from './unread.js';

export const readSumsFile: Check = async ({ files }) => ({
  sumsFile: await files.whole('SHA256SUMS', MAX_BYTES.large),
});

export const readKeys: Check = async ({ files }) => {
  const key = (name: string) => files.whole(`keys/${name}`, MAX_BYTES.small);
  return {
    keys: readPackKeys({
      vkey: await key('log.vkey'),
      logPem: await key('log.pem'),
      exportSsh: await key('export.pub'),
      exportPem: await key('export.pem'),
      allowedSigners: await key('allowed_signers'),
    }),
  };
};

export const readSums: Check = (_, { sumsFile }) => (sumsFile === null ? {} : { sums: parseSums(sumsFile) });

/** hashes.txt is SHA256SUMS under another name. */
export const checkHashes: Check = async ({ files }, { sumsFile }) => {
  if (sumsFile === null) return {};
  const copy = await files.whole('hashes.txt', MAX_BYTES.large);
  if (!copy.equals(sumsFile)) throw refused('hashes.txt: differs from SHA256SUMS');
  return {};
};

export const checkSignatures: Check = async ({ files, trust }, { sumsFile: sums, keys }, found) => {
  if (sums === null || keys === null) return {};
  const ssh = await files.whole('SHA256SUMS.sshsig', MAX_BYTES.small);
  const raw = await files.whole('SHA256SUMS.sig', MAX_BYTES.small);
  const dsse = await files.whole('statement.dsse.json', MAX_BYTES.statement);
  const statement = verifySums({ sums, ssh, raw, dsse }, keys, trust);
  found.holds(`SHA256SUMS.sshsig, SHA256SUMS.sig and statement.dsse.json: ${signedBy(keys.export, trust)}`);
  return { statement };
};

export const checkCheckpoint: Check = async ({ files, trust }, { sumsFile, keys }, found) => {
  if (sumsFile === null || keys === null) return {};
  const log = { origin: keys.log.name, key: keys.log, trust };
  const checkpoint = verifyLogCheckpoint(await files.whole('checkpoint', MAX_BYTES.checkpoint), log);
  // Of several trusted keys of the log, the one that the pack names.
  if (!checkpointSigners(checkpoint, log).some((signer) => signer.equals(keys.log.publicKey))) {
    throw refused('checkpoint: not signed by the key in keys/log.vkey');
  }
  found.holds(`checkpoint: ${signedBy(keys.log.publicKey, trust)}`);
  reportUnread(checkpoint, 'checkpoint', found, true);
  return { checkpoint };
};

/** Last: by then most files have been read, and with that hashed. */
export const checkSums: Check = async ({ files }, { sums }, found) => {
  if (sums === null) return {};
  const before = found.problemCount;
  for await (const problem of sumsProblems(files, sums)) found.problem(problem);
  if (found.problemCount === before) {
    found.holds(`all ${sums.length} files match SHA256SUMS`);
  }
  return {};
};

function signedBy(publicKey: Uint8Array, trust: readonly TrustedKey[] | null): string {
  const key = fingerprint(publicKey);
  return trust === null ? `signatures match the key inside the pack (${key})` : `signed by trusted key ${key}`;
}

import { createPrivateKey } from 'node:crypto';
import { SigningKey } from '../../../src/lib/evidence/keys/keys.js';

/** A key of known bytes. @param seed 32 bytes, hex */
export function keyFrom(seed: string): SigningKey {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed, 'hex')]);
  return new SigningKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
}

/** Keys of RFC 8032, section 7.1, TEST 1 and TEST 2. */
export const ALICE = keyFrom('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
export const BOB = keyFrom('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');

/** The bytes with one random small change; now and then it changes nothing. */
export function mutate(bytes: Buffer, random: (below: number) => number): Buffer {
  const at = random(bytes.length);
  const other = random(bytes.length);
  const changed = Buffer.from(bytes);
  switch (random(6)) {
    case 0:
      changed[at]! ^= 1 << random(8);
      return changed;
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([random(256)]), bytes.subarray(at)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + 1), bytes.subarray(at)]);
    case 4:
      [changed[at], changed[other]] = [bytes[other]!, bytes[at]!];
      return changed;
    default:
      return bytes.subarray(0, at);
  }
}

/** Whole numbers from 0, the same on every run. */
export function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/**
 * Signing keys on disk, and the keys that a verifier trusts.
 */
export {
  checkpointVerifiers,
  cosignatureVerifiers,
  logKeys,
  packSigners,
  sharedKey,
  type TrustedKey,
  whyNotForPacks,
  witnessKeys,
} from './authority.js';
export { createSigningKey, KEY_ROLES, type KeyRole, readSigningKey, SigningKey } from './keys.js';
export { originOfKey, type PublicForms, publicForms } from './public-forms.js';
export { parseTrustedKeys } from './trust.js';

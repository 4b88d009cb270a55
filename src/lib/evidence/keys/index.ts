/**
 * Signing keys on disk, and the keys that a verifier trusts.
 */
export { createSigningKey, KEY_ROLES, type KeyRole, readSigningKey, SigningKey } from './keys.js';
export { originOfKey, type PublicForms, publicForms } from './public-forms.js';
export { parseTrustedKeys, type TrustedKey, witnessKeys } from './trust.js';

/**
 * Copies of a database as they leave the machine: encrypted to age recipients (https://age-encryption.org/v1), named by log and
 * time, so many of them kept.
 */
export { checkpointNameOf, copyName, keepNewest, logIdOf } from './copies.js';
export { checkRecipients, decrypted, encrypted, readIdentities } from './encryption.js';

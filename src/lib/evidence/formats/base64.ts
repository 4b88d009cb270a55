/**
 * Bytes of standard, padded base64 (RFC 4648, section 4), or null. Only one text is accepted for given bytes: no white
 * space, no missing padding, no stray bits in the last character.
 */
export function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

/**
 * What keeps a text from being a source's address, in words; null when nothing does. Credentials are refused
 * because the address is recorded; the message does not repeat the text, which may hold them.
 */
export function sourceUrlProblem(text: string): string | null {
  const example = 'write e.g. http://127.0.0.1:9090';
  if (!URL.canParse(text)) return `is not a URL; ${example}`;
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return `is neither http nor https; ${example}`;
  if (url.username !== '' || url.password !== '') {
    return 'holds a user name or password, which would be recorded; for Prometheus name environment variables in source.basic instead (a scraped page cannot ask for any)';
  }
  return null;
}

import { expect } from 'chai';
import { type Served, serve } from './daemon.js';

const KEY = 'k'.repeat(20);
const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('signing in to the cockpit', () => {
  let at: Served;
  before(async () => {
    at = await serve({ env: { LUKHAS_MCP_API_KEYS: KEY } });
  });
  after(() => at.stop());

  const login = (key: string, headers: Record<string, string> = {}) =>
    fetch(`${at.url}/login`, { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify({ key }) });
  const session = async (cookie = '') => (await fetch(`${at.url}/api/session`, { headers: { cookie } })).json();
  const cookieOf = (response: Response) => response.headers.get('set-cookie')!.split(';')[0]!;

  it('turns a key into a session that counts as the key, and out of one again', async () => {
    expect(await session()).to.include({ required: true, signedIn: false, who: null });
    const answer = await login(KEY);
    expect(answer.status).to.equal(204);
    const header = answer.headers.get('set-cookie')!;
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Max-Age=43200', 'Path=/']) expect(header).to.include(part);
    expect(header).to.not.include(KEY);
    const cookie = cookieOf(answer);
    const { who, signedIn } = (await session(cookie)) as { who: string; signedIn: boolean };
    expect(signedIn).to.equal(true);
    expect(who).to.match(/^key:[0-9a-f]{8}$/);
    const overview = () => fetch(`${at.url}/api/overview`, { headers: { cookie } });
    expect((await overview()).status).to.equal(200);
    expect((await fetch(`${at.url}/api/overview`)).status).to.equal(401);
    const out = await fetch(`${at.url}/logout`, { method: 'POST', headers: { ...JSON_TYPE, cookie }, body: '{}' });
    expect(out.headers.get('set-cookie')).to.include('Max-Age=0');
    expect((await overview()).status).to.equal(401);
  });

  it('lets a session change nothing but from the page itself', async () => {
    const cookie = cookieOf(await login(KEY));
    const post = async (headers: Record<string, string>) =>
      (
        await fetch(`${at.url}/api/canary/abort`, {
          method: 'POST',
          headers: { cookie, ...headers },
          body: JSON.stringify({ id: 'c-unknown', reason: 'no' }),
        })
      ).status;
    const origin = at.url;
    expect(await post({ ...JSON_TYPE, origin })).to.equal(404);
    expect(await post({ ...JSON_TYPE, origin: 'https://evil.example' })).to.equal(403);
    expect(await post(JSON_TYPE)).to.equal(403);
    expect(await post({ 'Content-Type': 'text/plain', origin })).to.equal(403);
    expect(await post({ 'Content-Type': 'application/x-www-form-urlencoded', origin })).to.equal(403);
  });

  it('refuses a wrong key, a made-up cookie, a key in the address, and too many attempts', async () => {
    expect(
      (await fetch(`${at.url}/api/overview`, { headers: { cookie: `lukhas_session=${'a'.repeat(43)}` } })).status,
    ).to.equal(401);
    expect((await fetch(`${at.url}/cockpit.html?key=${KEY}`)).status).to.equal(400);
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) statuses.push((await login(`wrong-key-${i}-wrong`)).status);
    expect(statuses[0]).to.equal(401);
    expect(statuses.at(-1)).to.equal(429);
  });
});

describe('a daemon without keys', () => {
  it('asks nobody to sign in', async () => {
    const at = await serve();
    try {
      const answer = await fetch(`${at.url}/api/session`);
      expect(await answer.json()).to.deep.include({
        required: false,
        signedIn: false,
        version: '1.2.3',
        readOnly: false,
      });
    } finally {
      await at.stop();
    }
  });
});

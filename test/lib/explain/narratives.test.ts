import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { why } from '../../../src/lib/app/explanations.js';
import { narrativeText } from '../../../src/lib/explain/render.js';
import { APPROVAL_STORIES } from './approval-stories.js';
import { STORIES, Story } from './stories.js';

const FOLDER = fileURLToPath(new URL('../../golden/narratives', import.meta.url));
/** Set to have the texts written instead of compared; look at the difference before committing it. */
const WRITE = process.env['UPDATE_GOLDEN'] === '1';

const ALL = { ...STORIES, ...APPROVAL_STORIES };

describe('the narrative of a canary', () => {
  let story: Story;
  beforeEach(async () => {
    story = await Story.begin();
  });
  afterEach(() => story.end());

  for (const [name, tell] of Object.entries(ALL)) {
    it(`is the one on file: ${name}`, async () => {
      await tell(story);
      const narrative = await why({ ledger: story.at.ledger, canaries: story.canaries }, story.id);
      // An id ends in chance.
      const text = `${narrativeText(narrative).replaceAll(story.id, 'c-example')}\n`;
      const file = join(FOLDER, `${name}.txt`);
      if (WRITE) writeFileSync(file, text);
      expect(text).to.equal(existsSync(file) ? readFileSync(file, 'utf8') : '');
    });
  }

  it('has a text on file for every story, and no other', () => {
    expect(readdirSync(FOLDER).sort()).to.deep.equal(
      Object.keys(ALL)
        .map((name) => `${name}.txt`)
        .sort(),
    );
  });
});

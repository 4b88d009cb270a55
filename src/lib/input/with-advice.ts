/** What is told in sections of sentences, as a narrative is. */
interface Told {
  sections: { heading: string; sentences: string[] }[];
}

const NOT_SHOWN = /^\d+ older canar(y|ies) not shown: /;

/** A narrative with what it says to do next rewritten; what the log holds stays as it is. */
export function withAdvice<T extends Told>(narrative: T, rewrite: (text: string) => string): T {
  const sections = narrative.sections.map((part) => ({
    ...part,
    sentences: part.sentences.map((sentence) =>
      part.heading === 'Next steps' || NOT_SHOWN.test(sentence) ? rewrite(sentence) : sentence,
    ),
  }));
  return { ...narrative, sections };
}

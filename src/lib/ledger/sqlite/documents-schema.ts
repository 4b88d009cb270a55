/**
 * Makes the index anew, and empty. `documents_text` keeps no text of its own but follows `documents` (FTS5 external
 * content). `doc` grows with every change, so the greater one is the newer; of the product's pages it is below 0.
 */
export const DOCUMENTS_SCHEMA = `
  DROP TABLE IF EXISTS documents_text;
  DROP TABLE IF EXISTS documents;
  DROP TABLE IF EXISTS documents_state;
  CREATE TABLE documents (
    doc INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE VIRTUAL TABLE documents_text USING fts5 (
    title, body, content = 'documents', content_rowid = 'doc', tokenize = 'porter unicode61 remove_diacritics 2'
  );
  CREATE TRIGGER documents_added AFTER INSERT ON documents
    BEGIN INSERT INTO documents_text (rowid, title, body) VALUES (NEW.doc, NEW.title, NEW.body); END;
  CREATE TRIGGER documents_removed AFTER DELETE ON documents
    BEGIN
      INSERT INTO documents_text (documents_text, rowid, title, body) VALUES ('delete', OLD.doc, OLD.title, OLD.body);
    END;
  CREATE TABLE documents_state (
    row INTEGER PRIMARY KEY CHECK (row = 1),
    seq INTEGER NOT NULL,
    made TEXT NOT NULL
  ) STRICT;
  INSERT INTO documents_state VALUES (1, 0, '');
`;

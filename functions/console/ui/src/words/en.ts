// All words of the page, in English. Another language is another file of the type `Words`.

import { problems } from "./en/problems.ts";
import { sessionWords } from "./en/session.ts";
import { shell } from "./en/shell.ts";

export const en = { language: "en", shell, session: sessionWords, problems };

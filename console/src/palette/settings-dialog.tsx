/** What people choose for this browser: theme, words of statuses, keys, name. */

import { type ReactNode, useState } from "react";
import { setPerson, usePerson } from "../acts/signature.ts";
import { useMe } from "../api/session.ts";
import { Choice, SelectInput, TextInput } from "../forms/field.tsx";
import { DIALECT_NAMES, DIALECTS, dialectOf } from "../model/dialects.ts";
import { setDialect, useDialect } from "../ui/dialect.ts";
import { Dialog } from "../ui/dialog.tsx";
import { useStored } from "../ui/stored.ts";
import { setTheme, type Theme, useTheme } from "../ui/theme.ts";

/** Shows the settings. Each holds as soon as it is chosen. */
export function SettingsDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const theme = useTheme();
  const dialect = useDialect();
  const [letters, setLetters] = useStored("letters", ["on", "off"], "on");
  const person = usePerson();
  const me = useMe();
  const [name, setName] = useState(person);
  return (
    <Dialog
      title="Settings"
      onClose={onClose}
      onAct={onClose}
      foot={
        <>
          <span className="act-by">Kept in this browser.</span>
          <button type="button" onClick={onClose}>
            Close
          </button>
        </>
      }
    >
      <Choice<Theme>
        name="Theme"
        value={theme}
        onValue={setTheme}
        options={[
          { value: "system", words: "As the system" },
          { value: "light", words: "Light" },
          { value: "dark", words: "Dark" },
        ]}
      />
      <SelectInput
        name="Status words"
        value={dialect}
        onValue={(next) => setDialect(dialectOf(next) ?? "stepwell")}
        options={DIALECTS.map((one) => ({ value: one, words: DIALECT_NAMES[one] }))}
        hint="Whose words steps have. Signs, colours and filters stay, and so do the words for runs."
      />
      <Choice
        name="Keys of a single letter"
        value={letters}
        onValue={setLetters}
        options={[
          { value: "on", words: "On" },
          { value: "off", words: "Off, for those who speak to their computer" },
        ]}
      />
      <TextInput
        name="Your name"
        value={name}
        onValue={(next) => {
          setName(next);
          setPerson(next);
        }}
        {...(me?.key != null && { placeholder: me.key.name })}
        hint="Stands beside what you do in the history of runs. Without one, that is what your key is called."
      />
    </Dialog>
  );
}

/** The row of filters: text, one chip for each filter, and what the list looks like. */

import type { ReactNode, RefObject } from "react";
import { dropFilter, type Filter, type Filters, putFilter, wordsOf } from "../model/filters.ts";
import type { Move } from "../route.ts";
import { Icon } from "../ui/icon.tsx";
import { Popover } from "../ui/popover.tsx";
import { SearchField } from "../ui/search-field.tsx";
import { Foreign } from "../ui/text.tsx";
import { FilterForm, type Known, NewFilter } from "./filter-editor.tsx";

/** The server takes no longer one. */
const TEXT_CHARS_MAX = 200;

interface FilterRowProps {
  readonly filters: Filters;
  readonly known: Known;
  readonly field: RefObject<HTMLInputElement | null>;
  readonly addButton: RefObject<HTMLButtonElement | null>;
  readonly onChange: (filters: Filters, move?: Move) => void;
  /** Controls at the right. */
  readonly children?: ReactNode;
}

/** Shows the row. */
export function FilterRow(props: FilterRowProps): ReactNode {
  const { filters, known, onChange } = props;
  return (
    <div className="filter-row">
      <SearchField
        field={props.field}
        text={filters.text}
        onText={(text) => onChange({ ...filters, text }, "replace")}
        maxLength={TEXT_CHARS_MAX}
        placeholder="Name, id, error or attribute"
        label="Filter runs by text"
      />
      {filters.filters.map((filter) => (
        <Chip
          key={chipKey(filter)}
          filter={filter}
          known={known}
          onApply={(next) => onChange(putFilter(filters, next, filter))}
          onDrop={() => onChange(dropFilter(filters, filter))}
        />
      ))}
      <Popover
        className="add-filter"
        label="Add a filter (f)"
        buttonRef={props.addButton}
        button={
          <>
            + Filter <kbd>F</kbd>
          </>
        }
      >
        {(close) => (
          <NewFilter
            known={known}
            onApply={(filter) => {
              close();
              onChange(putFilter(filters, filter));
            }}
          />
        )}
      </Popover>
      <div className="looks">{props.children}</div>
    </div>
  );
}

function chipKey(filter: Filter): string {
  return filter.field === "attribute" ? `attr ${filter.name} ${filter.op}` : filter.field;
}

function Chip(props: {
  readonly filter: Filter;
  readonly known: Known;
  readonly onApply: (filter: Filter) => void;
  readonly onDrop: () => void;
}): ReactNode {
  const { name, relation, value } = wordsOf(props.filter, Date.now());
  return (
    <span className="chip">
      <Popover
        className="chip-text"
        label={`Change the filter ${name} ${relation} ${value}`}
        button={
          <>
            <Foreign>{name}</Foreign>
            <b>
              {relation} <Foreign>{value}</Foreign>
            </b>
          </>
        }
      >
        {(close) => (
          <FilterForm
            filter={props.filter}
            known={props.known}
            onApply={(filter) => {
              close();
              props.onApply(filter);
            }}
          />
        )}
      </Popover>
      <button
        type="button"
        className="chip-drop"
        aria-label={`Remove the filter ${name} ${relation} ${value}`}
        onClick={props.onDrop}
      >
        <Icon name="close" size={10} />
      </button>
    </span>
  );
}

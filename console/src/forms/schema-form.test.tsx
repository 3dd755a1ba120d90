// @vitest-environment happy-dom

import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { type ReactNode, useState } from "react";
import { afterEach, expect, test } from "vitest";
import { SchemaForm } from "./schema-form.tsx";

afterEach(cleanup);

const schema = {
  type: "object",
  required: ["name", "lines"],
  properties: {
    name: { type: "string", description: "Who ordered" },
    amount: { type: "number" },
    gift: { type: "boolean", title: "Gift wrap" },
    colour: { enum: ["red", 7, null] },
    lines: {
      type: "array",
      items: { type: "object", required: ["sku"], properties: { sku: { type: "string" } } },
    },
    pay: {
      anyOf: [
        { title: "cash", const: "cash" },
        { title: "card", type: "string" },
      ],
    },
    free: {},
  },
};

let text = "";
let wrong = false;

function Harness({ initial }: { readonly initial: unknown }): ReactNode {
  const [now, setNow] = useState(JSON.stringify(initial));
  text = now;
  return (
    <SchemaForm
      schema={schema}
      text={now}
      onText={setNow}
      onWrong={(is) => {
        wrong = is;
      }}
      places={[]}
    />
  );
}

const value = (): unknown => JSON.parse(text);
const change = (name: RegExp, next: string) =>
  fireEvent.change(screen.getByLabelText(name), { target: { value: next } });
const press = (name: RegExp) => fireEvent.click(screen.getByRole("button", { name }));

test("each field writes its part of the JSON and leaves the rest", () => {
  render(<Harness initial={{ name: "Ada", lines: [], other: 1 }} />);
  change(/^name/, "Bob");
  press(/^\+ Gift wrap/);
  fireEvent.click(screen.getByLabelText(/Gift wrap/));
  press(/^\+ colour/);
  change(/^colour/, "1");
  expect(value()).toEqual({ name: "Bob", lines: [], other: 1, gift: true, colour: 7 });
});

test("what is optional is added and taken out again, items of lists too", () => {
  render(<Harness initial={{ name: "Ada", lines: [] }} />);
  press(/^\+ item/);
  press(/^\+ item/);
  fireEvent.change(screen.getAllByLabelText(/^sku/)[1] as HTMLElement, {
    target: { value: "PEN" },
  });
  expect(value()).toEqual({ name: "Ada", lines: [{ sku: "" }, { sku: "PEN" }] });
  press(/^Remove 1$/);
  expect(value()).toEqual({ name: "Ada", lines: [{ sku: "PEN" }] });
  press(/^\+ amount/);
  expect(value()).toMatchObject({ amount: 0 });
  press(/^Remove amount/);
  expect(value()).not.toHaveProperty("amount");
});

test("a number can be typed digit by digit, and what is none is not passed off as one", () => {
  render(<Harness initial={{ name: "Ada", lines: [], amount: 3 }} />);
  change(/^amount/, "1.");
  expect(screen.getByLabelText<HTMLInputElement>(/^amount/).value).toBe("1.");
  change(/^amount/, "1.5");
  expect(value()).toMatchObject({ amount: 1.5 });
  change(/^amount/, "1.5 EUR");
  expect(value()).toMatchObject({ amount: "1.5 EUR" });
  expect(screen.getByText("is no number")).toBeTruthy();
});

test("a choice of kinds changes the value to one of that kind", () => {
  render(<Harness initial={{ name: "Ada", lines: [], pay: "cash" }} />);
  change(/^pay/, "1");
  expect(value()).toMatchObject({ pay: "" });
  change(/^card/, "4000");
  expect(value()).toMatchObject({ pay: "4000" });
});

test("a part that no form can show is JSON, and what is wrong in it is told", () => {
  render(<Harness initial={{ name: "Ada", lines: [], free: [1] }} />);
  change(/^free/, "[1, ");
  expect(wrong).toBe(true);
  expect(value()).toMatchObject({ free: [1] });
  change(/^free/, "[1, 2]");
  expect(wrong).toBe(false);
  expect(value()).toMatchObject({ free: [1, 2] });
});

test("a value of another kind than its field is shown as it is", () => {
  render(<Harness initial={{ name: { first: "Ada" }, lines: [] }} />);
  expect(screen.getByLabelText<HTMLTextAreaElement>(/^name/).value).toContain('"first": "Ada"');
});

test("the form waits while the JSON is wrong", () => {
  render(<Harness initial={{ name: "Ada", lines: [] }} />);
  change(/As JSON/, "{");
  expect(screen.getByText(/The form goes on once/)).toBeTruthy();
  change(/As JSON/, '{"name": "Eve", "lines": []}');
  expect(screen.getByLabelText<HTMLInputElement>(/^name/).value).toBe("Eve");
});

test("what is needed and absent is said, and can be added", () => {
  render(<Harness initial={{ name: "Ada" }} />);
  press(/^Add$/);
  expect(value()).toEqual({ name: "Ada", lines: [] });
});

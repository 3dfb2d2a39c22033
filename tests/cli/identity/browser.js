// What a browser does for a user who consents to everything: follows redirects, keeps cookies, fills forms.
// It has this cookie from the beginning, if any. Says what it sees last, and where.
const [first, userCode, refuses, cookie] = process.argv.slice(1);

async function main() {
  const cookies = new Map(cookie ? [[cookie.slice(0, cookie.indexOf("=")), cookie.slice(cookie.indexOf("=") + 1)]] : []);
  let step = { url: first, form: undefined };
  for (let number = 0; number < 40; number += 1) {
    const response = await fetch(step.url, {
      method: step.form ? "POST" : "GET",
      body: step.form,
      redirect: "manual",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      if (value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
    const next = response.headers.get("location");
    if (next) {
      step = { url: new URL(next, step.url).href };
      continue;
    }
    const page = await response.text();
    const form = /<form[^>]*action="([^"]+)"[^>]*>([\s\S]*?)<\/form>/.exec(page);
    if (!form || new URL(step.url).pathname.endsWith("/callback")) {
      console.log(response.status, page.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ").trim());
      console.log(step.url);
      return;
    }
    const leaves = refuses && /href="([^"]*\/abort)"/.exec(page);
    step = leaves ? { url: new URL(leaves[1], step.url).href } : { url: new URL(form[1], step.url).href, form: filled(form[2], page) };
  }
  throw new Error("it goes on and on");
}

function filled(form, page) {
  const fields = new URLSearchParams();
  // Buttons and fields may stand outside of their form and name it.
  for (const [input] of (form + page).matchAll(/<(?:input|button)[^>]*>/g)) {
    const [, name] = /name="([^"]+)"/.exec(input) ?? [];
    const [, value] = /value="([^"]*)"/.exec(input) ?? [];
    if (name && name !== "abort") fields.set(name, value ?? (name === "user_code" ? userCode : "ada"));
  }
  return fields;
}

main();

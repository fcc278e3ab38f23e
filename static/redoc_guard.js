// Redoc's bundle draws its maker's logo from its maker's server; our pages ask nobody else.

const images = HTMLImageElement.prototype;
const source = Object.getOwnPropertyDescriptor(images, "src");
const isOurs = (url) => new URL(url, location.href).origin === location.origin;

images.setAttribute = function (name, value) {
  if (name !== "src" || isOurs(value)) {
    Element.prototype.setAttribute.call(this, name, value);
  }
};

Object.defineProperty(images, "src", {
  ...source,
  set(url) {
    if (isOurs(url)) {
      source.set.call(this, url);
    } else {
      this.hidden = true;
    }
  },
});

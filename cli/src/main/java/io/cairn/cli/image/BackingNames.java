package io.cairn.cli.image;

/** Names of backing files, which are relative to the file that names them. */
final class BackingNames {
  private BackingNames() {}

  /** The name under which the backing file of an image is found. */
  static String resolve(String image, String backing) {
    String plain = backing.startsWith("file:") ? backing.substring(5) : backing;
    int slash = image.lastIndexOf('/');
    return plain.startsWith("/") || slash < 0 ? plain : image.substring(0, slash + 1) + plain;
  }
}

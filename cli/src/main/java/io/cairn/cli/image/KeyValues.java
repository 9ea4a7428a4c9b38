package io.cairn.cli.image;

import java.util.LinkedHashMap;
import java.util.Map;

/** Options written as {@code a=b,c=d}; a comma in a value is doubled. */
public final class KeyValues {
  private KeyValues() {}

  /**
   * The options in their order; a later value replaces an earlier one.
   *
   * @param implied the key of a first element without one, or empty if there is none
   */
  public static Map<String, String> parse(String text, String implied) {
    Map<String, String> options = new LinkedHashMap<>();
    int at = 0;
    boolean first = true;
    while (at < text.length()) {
      StringBuilder element = new StringBuilder();
      while (at < text.length()) {
        char c = text.charAt(at++);
        if (c == ',') {
          if (at < text.length() && text.charAt(at) == ',') {
            at++;
          } else {
            break;
          }
        }
        element.append(c);
      }
      add(options, element.toString(), first ? implied : "");
      first = false;
    }
    return options;
  }

  /** A key alone switches something on, and one that begins with "no" switches it off. */
  private static void add(Map<String, String> options, String element, String implied) {
    int equals = element.indexOf('=');
    String key = equals < 0 ? element : element.substring(0, equals);
    String value = equals < 0 ? "on" : element.substring(equals + 1);
    if (equals < 0 && !implied.isEmpty()) {
      key = implied;
      value = element;
    }
    options.remove(key);
    options.put(key, value);
  }
}

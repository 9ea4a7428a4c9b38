package io.cairn.crash;

import io.cairn.testkit.ToolResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds ids in the command's machine-readable output. */
final class JsonIds {
  private static final Pattern ID = Pattern.compile("\"id\":\"([0-9a-f]{32})\"");

  private JsonIds() {}

  /** The id of the checkpoint that a {@code create} made. */
  static String created(ToolResult result) {
    Matcher id = ID.matcher(result.out());
    if (!id.find()) {
      throw new AssertionError("no checkpoint id in " + result);
    }
    return id.group(1);
  }
}

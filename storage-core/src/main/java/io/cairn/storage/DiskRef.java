package io.cairn.storage;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Which disk of a guest is meant: its id within the guest, the backend that keeps it, and where.
 *
 * @param id the disk's name within its guest: letters, digits, {@code _ . -}, at most 64
 * @param backend the backend's {@link StorageBackend#name() name}
 * @param location where the backend finds the disk: for qcow2 the absolute path that the guest is
 *     configured with, for ZFS a dataset
 * @param options backend options, such as {@code mode=overlay}
 */
public record DiskRef(
    String id, String backend, String location, SortedMap<String, String> options) {
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}");
  private static final Pattern BACKEND = Pattern.compile("[a-z][a-z0-9]{0,15}");
  private static final Pattern OPTION = Pattern.compile("[a-z][a-z0-9-]*=.*");

  /** Checks the id and the backend's name. */
  public DiskRef {
    checkArgument(ID.matcher(id).matches(), "bad disk id '%s'", id);
    checkArgument(BACKEND.matcher(backend).matches(), "bad backend name '%s'", backend);
    checkArgument(!location.isEmpty(), "disk '%s' has no location", id);
    options = Collections.unmodifiableSortedMap(new TreeMap<>(options));
  }

  /**
   * Reads {@code ID=BACKEND:LOCATION[,OPTION=VALUE...]}. A comma within the location is doubled, as
   * in QEMU's option syntax.
   *
   * @throws IllegalArgumentException if the text has another form
   */
  public static DiskRef parse(String spec) {
    int equals = spec.indexOf('=');
    int colon = spec.indexOf(':', equals + 1);
    checkArgument(
        equals > 0 && colon > equals, "disk '%s' is not ID=BACKEND:LOCATION[,OPTION=VALUE]", spec);
    SortedMap<String, String> options = new TreeMap<>();
    String[] parts = spec.substring(colon + 1).split("(?<!,),(?!,)", -1);
    for (int i = 1; i < parts.length; i++) {
      checkArgument(
          OPTION.matcher(parts[i]).matches(),
          "'%s' in disk '%s' is not OPTION=VALUE",
          parts[i],
          spec);
      int at = parts[i].indexOf('=');
      options.put(parts[i].substring(0, at), parts[i].substring(at + 1).replace(",,", ","));
    }
    return new DiskRef(
        spec.substring(0, equals),
        spec.substring(equals + 1, colon),
        parts[0].replace(",,", ","),
        options);
  }

  /** This disk at another location. */
  public DiskRef at(String newLocation) {
    return new DiskRef(id, backend, newLocation, options);
  }

  /** The text that {@link #parse} reads. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(id + "=" + backend + ":" + location.replace(",", ",,"));
    options.forEach((k, v) -> text.append(',').append(k).append('=').append(v.replace(",", ",,")));
    return text.toString();
  }
}

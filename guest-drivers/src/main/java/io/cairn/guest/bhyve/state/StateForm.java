package io.cairn.guest.bhyve.state;

/** In which form a state is saved. */
public enum StateForm {
  /** Three files, with the keys that bhyve used in 2020 and 2021 (structs, snapshot_req). */
  FILES_2020("files-2020", "three files with the keys of 2020"),
  /** Three files, with the keys that bhyve uses since (kern_structs, device). */
  FILES("files", "three files"),
  /** RAM and one JSON file with the fields of every device, as written by FreeBSD-UPB's bhyve. */
  JSON("json", "RAM and a JSON file with fields");

  private final String word;
  private final String description;

  StateForm(String word, String description) {
    this.word = word;
    this.description = description;
  }

  /** The word for it on the command line and in JSON. */
  public String word() {
    return word;
  }

  /** What it is, in a few words. */
  public String description() {
    return description;
  }
}

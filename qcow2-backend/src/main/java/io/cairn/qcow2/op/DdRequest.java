package io.cairn.qcow2.op;

import io.cairn.qcow2.BlockSource;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * What is copied.
 *
 * @param input the disk to read, open; it stays open
 * @param output the file to make
 * @param format its format
 * @param blockBytes the size of a block
 * @param count how many blocks at most
 * @param skip how many blocks are left out at the start
 */
public record DdRequest(
    BlockSource input,
    Path output,
    ImageFormat format,
    int blockBytes,
    OptionalLong count,
    long skip) {}

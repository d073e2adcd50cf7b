#pragma once

namespace t2v {

/// Lets t2v change settings of this whole process that make rendering better. It sets GOMP_SPINCOUNT in the
/// environment when it loads LibTorch (unless OMP_WAIT_POLICY or GOMP_SPINCOUNT is set), so that waiting
/// threads leave the cores to other processes; it sets glibc's M_MMAP_THRESHOLD to 16 MiB when it renders, so
/// that freed tensors go back to the system; and its thread that hashes the weights gets a niceness of 10.
/// For a program that only renders, before it starts threads. Never throws.
///
/// Without this call t2v leaves them alone. It always sends the log of libav to its own log, uses the number
/// of LibTorch's threads that a request names, and adds operations to LibTorch's meta device.
void tune_process() noexcept;

}  // namespace t2v

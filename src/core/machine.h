#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace t2v {

/// "12.34 GiB", rounded up.
std::string in_gib(uint64_t bytes);

// Sizes are in bytes; 0 if the system does not say.

/// Memory that this process can still allocate: free or reclaimable memory, within the limits of the process
/// (ulimit -v) and of its control groups.
uint64_t available_memory();

/// The resident set of this process, mapped files included: now, and the largest since the start or the last
/// reset.
uint64_t resident_memory();
uint64_t peak_resident_memory();
/// Resets peak_resident_memory(). Without support of the system the old peak stays.
void reset_peak_resident_memory();

/// "AMD EPYC 9B14"; "processor" if the system does not say.
std::string processor_name();
/// The present clock of the first core.
std::optional<int64_t> processor_megahertz();

}  // namespace t2v

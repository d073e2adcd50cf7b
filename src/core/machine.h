#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace t2v {

/// "12.34 GiB", and not less than it is.
std::string in_gib(uint64_t bytes);

// Sizes are in bytes, and 0 where the system does not tell.

/// What this process may still allocate: what is free or can be freed, within its limits (ulimit -v) and
/// those of the control groups that it is in.
uint64_t available_memory();

/// What of this process is in memory, mapped files included; now, and at most since its start or the last
/// reset.
uint64_t resident_memory();
uint64_t peak_resident_memory();
/// Lets peak_resident_memory() begin anew. A system that does not know how keeps the old peak.
void reset_peak_resident_memory();

/// "AMD EPYC 9B14"; "processor" where the system does not tell.
std::string processor_name();
/// The clock of the first core at this moment.
std::optional<int64_t> processor_megahertz();

}  // namespace t2v

#include "tensors/weights/block_plan.h"

#include <algorithm>
#include <map>

#include "core/machine.h"
#include "core/setting.h"

namespace t2v {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
/// While one block computes, two more are loading.
constexpr int64_t kAhead = 2;

[[noreturn]] void too_little(double max_vram, uint64_t needed, const std::string& advice) {
  std::string limit = std::to_string(max_vram);
  limit.erase(limit.find_last_not_of('0') + 1);
  if (limit.back() == '.') limit.pop_back();
  throw Error(ErrorCode::kResource, {.doing = setting("max_vram", limit),
                                     .got = "a transformer that needs " + in_gib(needed),
                                     .expected = "at most " + limit + " GiB",
                                     .advice = advice});
}

}  // namespace

BlockMemory BlockMemory::of(const Component& component, const LoadOptions& options, std::string_view prefix) {
  std::map<std::string, uint64_t> blocks;
  for (const auto& [name, source] : component.tensors) {
    if (!name.starts_with(prefix)) continue;
    blocks[name.substr(0, name.find('.', prefix.size()))] += loaded_bytes(name, source.stored, options);
  }
  BlockMemory memory;
  for (const auto& [name, bytes] : blocks) {
    memory.all += bytes;
    memory.largest = std::max(memory.largest, bytes);
  }
  memory.count = static_cast<int64_t>(blocks.size());
  return memory;
}

uint64_t BlockMemory::waiting(int64_t resident) const {
  return static_cast<uint64_t>(std::max<int64_t>(count - resident, 0)) * largest;
}

uint64_t BlockMemory::on_device(int64_t resident) const {
  const int64_t others = std::max<int64_t>(count - resident, 0);
  return all - std::min(all, waiting(resident)) +
         static_cast<uint64_t>(std::min(others, kAhead + 1)) * largest;
}

uint64_t StreamedMemory::on_device(int64_t resident) const {
  uint64_t bytes = others;
  for (const BlockMemory& stack : stacks) bytes += stack.on_device(resident);
  return bytes;
}

uint64_t StreamedMemory::waiting(int64_t resident) const {
  uint64_t bytes = 0;
  for (const BlockMemory& stack : stacks) bytes += stack.waiting(resident);
  return bytes;
}

int64_t StreamedMemory::count() const {
  int64_t largest_count = 0;
  for (const BlockMemory& stack : stacks) largest_count = std::max(largest_count, stack.count);
  return largest_count;
}

StreamedMemory StreamedMemory::of(const Component& component, const LoadOptions& options,
                                  const std::vector<std::string>& prefixes, uint64_t beside) {
  StreamedMemory memory{.stacks = {}, .others = loaded_bytes(component, options) + beside};
  for (const std::string& prefix : prefixes) {
    memory.stacks.push_back(BlockMemory::of(component, options, prefix));
    memory.others -= memory.stacks.back().all;
  }
  return memory;
}

BlockResidency plan_blocks(const StreamedMemory& memory, const std::string& offload,
                           std::optional<double> max_vram) {
  const auto waiting = offload == "disk" ? BlockResidency::Waiting::kFile : BlockResidency::Waiting::kHost;
  if (!max_vram) {
    if (offload == "none" || offload == "auto") return {};
    return {.resident = 0, .ahead = kAhead, .waiting = waiting};
  }
  const auto limit = static_cast<uint64_t>(*max_vram * kGiB);
  const int64_t count = memory.count();
  if (memory.on_device(count) <= limit) return {};
  if (offload == "none") too_little(*max_vram, memory.on_device(count), "leave out `offload` none");
  for (int64_t resident = count - 1; resident >= 0; --resident) {
    if (memory.on_device(resident) <= limit)
      return {.resident = resident, .ahead = kAhead, .waiting = waiting};
  }
  too_little(*max_vram, memory.on_device(0), "ask for fewer frames or a smaller picture");
}

}  // namespace t2v

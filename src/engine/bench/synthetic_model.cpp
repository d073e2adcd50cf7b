#include "engine/bench/synthetic_model.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <map>
#include <new>
#include <optional>

#include <nlohmann/json.hpp>

#include "engine/bench/bench_networks.h"
#include "tensors/tensor.h"

namespace t2v {
namespace {

using Shape = std::vector<int64_t>;

/// Bytes that one sync writes to the disk. A request to stop waits for one sync.
constexpr size_t kSyncedTogether = size_t{256} << 20;

int64_t count(const Shape& shape) {
  int64_t numbers = 1;
  for (const int64_t size : shape) numbers *= size;
  return numbers;
}

/// A file without a name that lives in memory.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("t2v-synthetic", MFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::bad_alloc();
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0) throw std::bad_alloc();
      bytes.remove_prefix(static_cast<size_t>(count));
    }
  }
  /// Adds zeros at the end, which take no memory.
  void extend(uint64_t bytes) {
    const off_t end = ::lseek(descriptor_, 0, SEEK_END);
    if (::ftruncate(descriptor_, end + static_cast<off_t>(bytes)) != 0) throw std::bad_alloc();
  }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

std::shared_ptr<const TensorFile> open_unnamed(int descriptor) {
  return TensorFile::open("/proc/self/fd/" + std::to_string(descriptor));
}

/// "blocks.7.attn1.to_q.weight" -> "blocks.0.attn1.to_q.weight"; nothing for a tensor outside of the blocks.
std::optional<std::string> in_first_block(const std::string& name) {
  for (const std::string prefix : {"blocks.", "encoder.block."}) {
    if (!name.starts_with(prefix)) continue;
    return prefix + "0" + name.substr(name.find('.', prefix.size()));
  }
  return std::nullopt;
}

/// Random values: matrices and convolutions keep the variance of their input, factors are near 1, biases are
/// near 0.
Tensor random_values(const std::string& name, const Shape& shape, const at::Generator& generator) {
  Tensor values = at::empty({count(shape)}, at::kBFloat16);
  const bool is_gamma = name.ends_with("gamma");
  const bool is_factor = is_gamma || (shape.size() == 1 && name.ends_with("weight"));
  if (is_factor) {
    values.uniform_(0.9, 1.1, generator);
  } else if (shape.size() == 1 || name.ends_with("table")) {
    values.uniform_(-0.05, 0.05, generator);
  } else {
    const double bound = std::sqrt(3.0 * static_cast<double>(shape[0]) / static_cast<double>(count(shape)));
    values.uniform_(-bound, bound, generator);
  }
  return values;
}

uint64_t bytes_of(const TensorShapes& tensors) {
  uint64_t bytes = 0;
  for (const auto& [name, shape] : tensors) bytes += 2 * static_cast<uint64_t>(count(shape));
  return bytes;
}

/// The header of a safetensors file.
std::string header_of(const TensorShapes& tensors) {
  constexpr size_t kLengthBytes = 8, kAlignment = 64;
  nlohmann::json header = nlohmann::json::object();
  uint64_t end = 0;
  for (const auto& [name, shape] : tensors) {
    const uint64_t begin = end;
    end += 2 * static_cast<uint64_t>(count(shape));
    header[name] = {{"dtype", "BF16"}, {"shape", shape}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + kLengthBytes + kAlignment - 1) / kAlignment * kAlignment - kLengthBytes, ' ');
  std::string length(kLengthBytes, '\0');
  for (size_t i = 0; i < kLengthBytes; ++i) length[i] = static_cast<char>(text.size() >> (8 * i));
  return length + text;
}

/// Writes the values of one tensor after the other. Every numbered block gets the values of the first block.
void write_values(const TensorShapes& tensors, uint64_t seed,
                  const std::function<void(std::string_view)>& write) {
  const at::Generator generator = seeded_generator(seed);
  std::map<std::string, Tensor> first_block;
  for (const auto& [name, shape] : tensors) {
    const std::optional<std::string> first = in_first_block(name);
    Tensor values = first && first_block.contains(*first) ? first_block.at(*first)
                                                          : random_values(name, shape, generator);
    write({static_cast<const char*>(values.const_data_ptr()), values.nbytes()});
    if (first) first_block.emplace(*first, std::move(values));
  }
}

Component without_tensors(std::string_view component, const nlohmann::json& config) {
  return {.origin = "a synthetic " + std::string(component),
          .config = Config(config, std::string(component)),
          .files = {},
          .tensors = {}};
}

}  // namespace

Component synthetic_model(std::string_view component, const nlohmann::json& config, SyntheticValues values,
                          uint64_t seed) {
  Component model = without_tensors(component, config);
  const TensorShapes tensors = bench_tensors(component, model.config);
  TensorShapes stored = tensors;
  std::erase_if(stored, [](const auto& tensor) {
    return in_first_block(tensor.first).value_or(tensor.first) != tensor.first;
  });
  MemoryFile memory;
  memory.write(header_of(stored));
  if (values == SyntheticValues::kRandom) {
    write_values(stored, seed, [&](std::string_view bytes) { memory.write(bytes); });
  } else {
    memory.extend(bytes_of(stored));
  }
  const auto file = open_unnamed(memory.descriptor());
  model.files = {file};
  for (const auto& [name, shape] : tensors) {
    model.tensors.emplace(
        name, TensorSource{file, file->tensors().find(in_first_block(name).value_or(name))->second});
  }
  return model;
}

uint64_t synthetic_bytes(std::string_view component, const nlohmann::json& config) {
  return bytes_of(bench_tensors(component, Config(config, std::string(component))));
}

SyntheticFile::SyntheticFile(std::string_view component, const nlohmann::json& config,
                             const std::filesystem::path& folder, const std::function<void()>& stop_if_asked)
    : staged_(folder / "synthetic.safetensors"), model_(without_tensors(component, config)) {
  const TensorShapes tensors = bench_tensors(component, model_.config);
  staged_.write(header_of(tensors));
  size_t unsynced = 0;
  write_values(tensors, /*seed=*/0, [&](std::string_view bytes) {
    stop_if_asked();
    staged_.write(bytes);
    unsynced += bytes.size();
    if (unsynced < kSyncedTogether) return;
    staged_.sync();
    unsynced = 0;
  });
  staged_.sync();  // the system cannot drop unwritten pages from memory
  const auto file = open_unnamed(staged_.descriptor());
  model_.files = {file};
  for (const auto& [name, stored] : file->tensors()) model_.tensors.emplace(name, TensorSource{file, stored});
}

}  // namespace t2v

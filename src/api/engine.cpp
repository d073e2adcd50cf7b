#include "api/engine.h"

#include <malloc.h>

#include <new>

#include <ATen/Parallel.h>

#include "api/settings.h"
#include "api/sources.h"
#include "api/visual_inputs.h"
#include "core/log.h"
#include "core/tensor.h"
#include "media/output_format.h"
#include "media/video_writer.h"
#include "pipelines/video_pipeline.h"
#include "t2v/text.h"
#include "weights/safetensors.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

void emit(const RunControl& control, const Event& event) {
  if (control.on_event) control.on_event(event);
}

/// The final latents, on the disk from the end of sampling until the clip is published: in the file that
/// --save-latents names, which stays, or in one beside the clip. Nothing is kept beside a stream.
class KeptLatents {
 public:
  KeptLatents(const GenerateRequest& request, const Tensor& latents, const std::string& settings)
      : temporary_(request.save_latents.empty()) {
    if (temporary_ && is_stream(request.output)) return;
    const auto write = [&](const fs::path& file, bool overwrite) {
      write_safetensors(file, {{"latents", latents}}, {{"t2v", settings}}, overwrite);
      file_ = file;
    };
    if (!temporary_) write(request.save_latents, request.overwrite);
    for (int64_t number = 1; file_.empty(); ++number) {
      try {
        write(file_beside(request.output, number), /*overwrite=*/false);
      } catch (const Error& error) {
        // What an earlier run kept under that name is not ours to replace.
        if (error.code() != ErrorCode::kUsage) throw;
      }
    }
  }

  void remove() {
    std::error_code ignored;
    if (temporary_ && !file_.empty()) fs::remove(file_, ignored);
  }
  /// Tells where the sampled latents are, for a clip that failed after them.
  void tell() const {
    if (!file_.empty()) log_warning("the sampled latents are kept in " + file_.string());
  }

 private:
  /// "clip.mp4.latents.safetensors", "clip.mp4.latents-2.safetensors", ...
  static fs::path file_beside(const fs::path& output, int64_t number) {
    constexpr size_t kLongestName = 200;  // of the 255 bytes that a name may have
    std::string name = output.filename().string();
    if (name.size() > kLongestName) {
      name.resize(kLongestName);
      while (!is_valid_utf8(name)) name.pop_back();
    }
    name += ".latents";
    if (number > 1) name.append("-").append(std::to_string(number));
    return output.parent_path() / name.append(".safetensors");
  }

  bool temporary_;
  fs::path file_;
};

VideoSettings video_settings(const GenerateRequest& request, const std::string& settings) {
  return {.width = *request.width,
          .height = *request.height,
          .fps = *request.fps,
          .quality = request.quality,
          .crf = request.crf,
          .comment = request.metadata ? settings : "",
          .frame_count = *request.num_frames,
          .overwrite = request.overwrite};
}

void render(const GenerateRequest& request, const RunControl& control, GenerateResult& result) {
  const c10::InferenceMode inference_mode;
  // Large tensors go back to the system when they are freed. glibc would raise this limit by itself, and a
  // long decode would leave ever more holes in its heap.
  ::mallopt(M_MMAP_THRESHOLD, 16 << 20);
  if (request.threads > 0) at::set_num_threads(static_cast<int>(request.threads));
  const Placement placement{parse_dtype(request.dtype), parse_device(request.device)};
  result.settings = settings_json(request, placement.device.str());

  Checkpoint checkpoint = Checkpoint::open(sources_of(request));
  VisualInputs inputs = read_visual_inputs(request, checkpoint);
  const auto pipeline =
      VideoPipeline::make({std::move(checkpoint), placement, request, std::move(inputs)}, control);
  const Tensor latents = pipeline->sample();
  KeptLatents kept(request, latents, result.settings);
  try {
    const auto writer = make_video_writer(request.output, video_settings(request, result.settings));
    pipeline->decode(latents, [&](const Frames& frames) { writer->write(frames); });
    emit(control, {.kind = Event::Kind::kWrite, .detail = request.output.string()});
    if (control.stop != nullptr && *control.stop) throw Stopped{};
    writer->publish();
  } catch (...) {
    kept.tell();
    throw;
  }
  kept.remove();
  const bool sequence = output_container(request.output) == Container::kPngSequence;
  result.output = sequence ? SequenceNames(request.output, *request.num_frames).frame(1) : request.output;
  emit(control, {.kind = Event::Kind::kDone, .detail = result.output.string()});
}

}  // namespace

extern "C" void t2v_engine_generate(const GenerateRequest& request, const RunControl& control,
                                    GenerateResult& result) {
  const auto out_of_memory = [](const std::string& got) {
    return Error(ErrorCode::kResource,
                 {.doing = "rendering",
                  .got = got,
                  .expected = "enough memory",
                  .advice = "lower --width, --height or --frames, or use --dtype bfloat16"});
  };
  try {
    render(request, control, result);
  } catch (const std::bad_alloc&) {
    throw out_of_memory("no memory");
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    const bool memory = dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
                        message.find("not enough memory") != std::string::npos ||
                        message.find("can't allocate memory") != std::string::npos;
    if (memory) throw out_of_memory(message.substr(0, message.find('\n')));
    throw Error(ErrorCode::kBug, {.doing = "rendering", .got = message.substr(0, message.find('\n'))});
  }
}

}  // namespace t2v
